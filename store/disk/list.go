// list.go walks over all that the folder holds.

package disk

import (
	"context"
	"iter"
	"runtime/debug"
	"strings"
	"time"

	"github.com/larder-go/larder/store"
)

// List implements [store.Lister]. It reads the heads of records, not their values, and holds
// nothing while the caller works.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		for i := range regionCount {
			batch, err := s.listRegion(ctx, i, prefix)
			if err != nil {
				yield(store.Info{}, err)
				return
			}
			for _, info := range batch {
				if !yield(info, nil) {
					return
				}
			}
		}
	}
}

func (s *Store) listRegion(
	ctx context.Context, i int, prefix string,
) (all []store.Info, err error) {
	now := time.Now().UnixNano()
	c, err := s.enter(ctx, now)
	if err != nil {
		return nil, err
	}
	defer s.leave(c)
	defer s.guard(debug.SetPanicOnFault(true), &err)
	for _, v := range s.ix.snapshot(&s.ix.regions[i]) {
		f, ok := s.follow(v)
		if !ok || f.kind == kindMark || f.expired(now) {
			continue
		}
		if info, ok := s.info(&f); ok && strings.HasPrefix(info.Key, prefix) {
			all = append(all, info)
		}
	}
	return all, nil
}

// info describes the item of f; ok is false for one that its tags have removed.
func (s *Store) info(f *found) (info store.Info, ok bool) {
	meta := f.seg.m[f.off+recordHead+int64(f.keyLen):][:f.metaLen]
	item, err := f.item(append([]byte(nil), meta...))
	if err != nil || s.isMarked(item.Tags, f.seq) {
		return info, false
	}
	size := f.valueLen
	if f.kind == kindLarge {
		ref, ok := f.uncheckedRef()
		if !ok {
			return info, false
		}
		size = ref.size
	}
	return store.NewInfo(string(f.seg.key(f.off, &f.recordInfo)), item, size), true
}
