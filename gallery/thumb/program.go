// program.go has other programs decode what this package does not.

package thumb

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/bep/imagemeta"
)

const (
	programTime   = 30 * time.Second
	programOutput = 32 << 20 // bytes of a JPEG or PNG, and no more than half of the memory
	programErrors = 500      // bytes of what it says that are kept
	maxFrame      = 1 << 27  // pixels of a video
)

// formats are those that ffmpeg may take a file for. Playlists, which would have it read other
// files and addresses, are not among them.
const formats = "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,jpegxl_pipe,gif,rm"

// program is a way of having a picture made.
type program struct {
	name, path string
	arguments  []string
}

// byProgram asks programs in turn, and makes a thumbnail of the first answer. The program gets the
// file as its descriptor 3, a clean environment, limited time and limited output; no shell and no
// name of a file is involved.
func (m *Maker) byProgram(r *reader, k Kind, size int) (Thumb, error) {
	out, err := m.answer(r, k, size)
	if err != nil {
		return Thumb{}, err
	}
	made, err := File{Reader: bytes.NewReader(out), Size: int64(len(out))}.open(r.ctx)
	if err != nil {
		return Thumb{}, err
	}
	made.held = int64(len(out))
	t, err := m.decode(made, kindOf(made.head, ""), 1, size)
	if w, h := containerSize(k, r); w > 0 && err == nil {
		if (w > h) != (t.Width > t.Height) { // turned by the program
			w, h = h, w
		}
		t.Width, t.Height = w, h
	}
	return t, err
}

// answer returns what a program wrote.
func (m *Maker) answer(r *reader, k Kind, size int) ([]byte, error) {
	most := min(programOutput, m.options.Memory/2)
	free, err := m.budget.take(r.ctx, most)
	if err != nil {
		return nil, err
	}
	defer free()
	file, done, err := r.openFile()
	if err != nil {
		return nil, err
	}
	defer done()
	return run(r.ctx, file, most, m.programs(k, size))
}

// programs returns those that may know a kind, in the order in which they are asked.
func (m *Maker) programs(k Kind, size int) []program {
	vips := program{"vipsthumbnail", m.options.VipsThumbnail, []string{"/dev/fd/3",
		"--size", fmt.Sprintf("%dx%d>", size, size), "--output", ".png[compression=1,strip]"}}
	first, later := m.ffmpeg("0"), m.ffmpeg("1")
	switch k {
	case Video: // the first frame is often black, but a short one has no other
		return []program{later, first}
	case HEIF, AVIF:
		return []program{vips, first}
	}
	return []program{first, vips}
}

// ffmpeg has ffmpeg write the frame at a second as a JPEG.
func (m *Maker) ffmpeg(second string) program {
	return program{"ffmpeg", m.options.FFmpeg, []string{"-hide_banner", "-nostdin",
		"-loglevel", "error", "-threads", "1", "-max_pixels", fmt.Sprint(maxFrame),
		"-format_whitelist", formats, "-protocol_whitelist", "file", "-ss", second,
		"-i", "/dev/fd/3", "-map", "0:v:0", "-frames:v", "1",
		"-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p", "-f", "image2pipe", "pipe:1"}}
}

// run returns what the first program that succeeds writes.
func run(ctx context.Context, file *os.File, most int64, programs []program) (out []byte, err error) {
	var names []string
	var failure error
	for _, p := range programs {
		path, missing := p.find()
		if missing != nil {
			names = append(names, p.name)
			continue
		}
		if out, err = p.run(ctx, path, file, most); err == nil {
			return out, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		failure = cmp.Or(failure, err)
	}
	if failure != nil {
		return nil, failure
	}
	return nil, fmt.Errorf("thumb: %w: install %s", ErrNoProgram, strings.Join(names, " or "))
}

// find returns the program's path.
func (p program) find() (string, error) {
	if p.path == Never {
		return "", exec.ErrNotFound
	}
	return exec.LookPath(cmp.Or(p.path, p.name))
}

// run returns what the program writes. It ends with the whole group of processes when ctx does.
func (p program) run(ctx context.Context, path string, file *os.File, most int64) ([]byte, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, programTime)
	defer cancel()
	out, said := &limited{most: int(most)}, &limited{most: programErrors, drop: true}
	cmd := exec.CommandContext(ctx, path, p.arguments...)
	cmd.Stdout, cmd.Stderr = out, said
	cmd.ExtraFiles = []*os.File{file}
	cmd.Dir = os.TempDir()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "VIPS_BLOCK_UNTRUSTED=1",
		"VIPS_CONCURRENCY=1"}
	cmd.WaitDelay = time.Second
	alone(cmd)
	err := cmd.Start()
	if err == nil {
		yield(cmd.Process.Pid)
		err = cmd.Wait()
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = fmt.Errorf("it takes longer than %v", programTime)
	case out.full:
		err = errors.New("it writes too much")
	case err == nil && len(out.data) == 0:
		err = errors.New("it writes nothing")
	}
	if err != nil {
		return nil, damaged(fmt.Errorf("%s: %w: %s", p.name, err, bytes.TrimSpace(said.data)))
	}
	return out.data, nil
}

// limited keeps what is written to it up to a bound. Beyond that it drops the rest or fails.
type limited struct {
	data []byte
	most int
	drop bool
	full bool
}

func (l *limited) Write(p []byte) (int, error) {
	fits := p[:min(len(p), l.most-len(l.data))]
	l.data = append(l.data, fits...)
	if len(fits) < len(p) && !l.drop {
		l.full = true
		return len(fits), io.ErrShortWrite
	}
	return len(p), nil
}

// openFile returns the file as one that a program may inherit: itself, or a copy without a name.
func (r *reader) openFile() (file *os.File, done func(), err error) {
	if file, ok := r.file.Reader.(*os.File); ok {
		r.real = -1 // the program moves its offset
		return file, func() {}, nil
	}
	file, err = os.CreateTemp("", "thumb-*")
	if err != nil {
		return nil, nil, err
	}
	done = func() {
		file.Close()
		os.Remove(file.Name())
	}
	if _, err = io.Copy(file, io.LimitReader(r.again(), r.file.Size)); err != nil {
		done()
		return nil, nil, err
	}
	return file, done, nil
}

// containerSize returns the size that the head of a file says, where a program does not; 0 if that
// is not known.
func containerSize(k Kind, r *reader) (w, h int) {
	if k != HEIF && k != AVIF {
		return 0, 0
	}
	defer func() {
		if recover() != nil {
			w, h = 0, 0
		}
	}()
	result, _ := imagemeta.Decode(imagemeta.Options{R: bytes.NewReader(r.head),
		ImageFormat: imagemeta.HEIF, Sources: imagemeta.CONFIG, LimitNumTags: exifTags})
	w, h = result.ImageConfig.Width, result.ImageConfig.Height
	if w < 1 || h < 1 || w > maxSide || h > maxSide {
		return 0, 0
	}
	return w, h
}
