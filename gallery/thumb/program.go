// program.go has other programs decode what this package does not.

package thumb

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
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
// name of a file is involved. Full is the size of the picture, zero if that is not known.
func (m *Maker) byProgram(r *reader, k Kind, full image.Point, size int) (Thumb, error) {
	out, err := m.answer(r, k, size)
	if err != nil {
		return Thumb{}, err
	}
	made, err := File{Reader: bytes.NewReader(out), Size: int64(len(out))}.open(r.ctx)
	if err != nil {
		return Thumb{}, err
	}
	made.held = int64(len(out))
	kind := kindOf(made.head, "")
	if kind != JPEG && kind != PNG {
		return Thumb{}, damaged(errAnswer)
	}
	t, err := m.decode(made, kind, upright, size)
	if full.X > 0 && full.Y > 0 {
		if (full.X > full.Y) != (t.Width > t.Height) { // the program has turned it
			full.X, full.Y = full.Y, full.X
		}
		t.Width, t.Height = full.X, full.Y
	}
	return t, err
}

var errAnswer = errors.New("a program answers with something else than a picture")

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
	case JXL, Raw:
		return []program{first, vips}
	}
	return []program{vips, first}
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
func run(ctx context.Context, file *os.File, most int64, programs []program) ([]byte, error) {
	var names []string
	var failure error
	for _, p := range programs {
		path, missing := p.find()
		if missing != nil {
			names = append(names, p.name)
			continue
		}
		out, err := p.run(ctx, path, file, most)
		if err == nil {
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
	if p.path == Never || !inherits {
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
	if err = out.verdict(ctx, err); err != nil {
		return nil, damaged(fmt.Errorf("%s: %w: %s", p.name, err, bytes.TrimSpace(said.data)))
	}
	return out.data, nil
}

// verdict returns what was wrong with a program that ended with err and wrote this.
func (l *limited) verdict(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("it takes longer than %v", programTime)
	case l.full:
		return errors.New("it writes too much")
	case err == nil && len(l.data) == 0:
		return errors.New("it writes nothing")
	}
	return err
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

// containerSize returns the size that the head of a file says, where a program does not; zero if
// that is not known.
func containerSize(k Kind, r *reader) (size image.Point) {
	if k != HEIF && k != AVIF {
		return image.Point{}
	}
	defer func() {
		if recover() != nil {
			size = image.Point{}
		}
	}()
	result, _ := imagemeta.Decode(imagemeta.Options{R: bytes.NewReader(r.head),
		ImageFormat: imagemeta.HEIF, Sources: imagemeta.CONFIG, LimitNumTags: exifTags})
	size = image.Pt(result.ImageConfig.Width, result.ImageConfig.Height)
	if size.X < 1 || size.Y < 1 || size.X > maxSide || size.Y > maxSide {
		return image.Point{}
	}
	return size
}
