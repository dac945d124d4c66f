#!/bin/sh
# train.sh prints the model of data.csv. It trains when the code or the data have changed, however
# long ago that was, and else prints the model that is kept.
cd "$(dirname "$0")" || exit
exec larder run --ttl forever --file main.go --file data.csv -- go run main.go data.csv
