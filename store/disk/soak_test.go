//go:build unix && !slow

// soak_test.go keeps the plain test run short.

package disk_test

import "time"

const soakTime = 3 * time.Second
