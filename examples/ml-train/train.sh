#!/bin/sh
# train.sh makes model.json of data.csv. It trains when the code or the data have changed, however
# long ago that was; else it puts the model back that is kept, and prints what was printed then.
# For another language it is, for example:
#   larder run --ttl forever --file model.py --file data.csv --makes model.pkl -- python model.py
cd "$(dirname "$0")" || exit
exec larder run --ttl forever --file main.go --file data.csv --makes model.json \
	-- go run main.go data.csv model.json
