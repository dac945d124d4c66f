// programs.go says how each contestant is started.

package main

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// plain is this program once more.
func plain(_, addr, _ string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return exec.Command(self, servePlain, addr), nil
}

// larder is the command of this tree, as it comes.
func larder(dir, addr, origin string) (*exec.Cmd, error) {
	program, err := build(dir, "./cmd/larder")
	if err != nil {
		return nil, err
	}
	help, err := exec.Command(program, "proxy", "--help").Output()
	if err != nil || !strings.Contains(string(help), "--to") {
		return nil, fmt.Errorf("larder proxy: %w", errMissing)
	}
	return exec.Command(program, "proxy", "--to", origin, "--listen", addr), nil
}

// larderPackage is the least program around the package.
func larderPackage(dir, addr, origin string) (*exec.Cmd, error) {
	program, err := build(dir, "./bench/http/testdata/proxy/main.go")
	if err != nil {
		return nil, err
	}
	return exec.Command(program, origin, addr), nil
}

// build builds a program of larder's module.
func build(dir, path string) (program string, err error) {
	const module = "github.com/larder-go/larder"
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	program = filepath.Join(dir, "program")
	cmd := exec.Command("go", "build", "-o", program, path)
	cmd.Dir = strings.TrimSpace(string(root))
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", path, err, out)
	}
	return program, nil
}

// nginxConfig is what Debian's nginx.conf sets, with a cache, and without an access log, which the
// others do not write either.
const nginxConfig = `
daemon off;
%[1]s
worker_processes auto;
pid %[2]s/pid;
error_log %[2]s/error.log;
events { worker_connections 768; }
http {
	sendfile on;
	tcp_nopush on;
	access_log off;
	client_body_temp_path %[2]s/body;
	proxy_temp_path %[2]s/proxy;
	fastcgi_temp_path %[2]s/fastcgi;
	uwsgi_temp_path %[2]s/uwsgi;
	scgi_temp_path %[2]s/scgi;
	proxy_cache_path %[2]s/cache levels=1:2 keys_zone=all:16m use_temp_path=off;
	server {
		listen %[3]s;
		location / {
			proxy_pass %[4]s;
			proxy_cache all;
		}
	}
}
`

func nginx(dir, addr, origin string) (*exec.Cmd, error) {
	program, err := find("nginx", "/usr/sbin/nginx")
	if err != nil {
		return nil, err
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;" // the folder is ours
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	text := fmt.Sprintf(nginxConfig, user, dir, addr, origin)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return exec.Command(program, "-c", file, "-e", filepath.Join(dir, "error.log")), nil
}

func varnish(dir, addr, origin string) (*exec.Cmd, error) {
	program, err := find("varnishd", "/usr/sbin/varnishd")
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	return exec.Command(program, "-F", "-n", dir, "-j", "none", "-a", addr, "-b", u.Host,
		"-s", "default,256m"), nil
}

// find returns the path of a program, which may lie where only root's path leads.
func find(name, path string) (string, error) {
	for _, p := range []string{name, path} {
		if found, err := exec.LookPath(p); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, errMissing)
}
