package disk_test

func readOnlyRole(dir string) error { return nil }
