//go:build unix && slow

// soak_slow_test.go is for the run that takes its time.

package disk_test

import "time"

const soakTime = time.Minute
