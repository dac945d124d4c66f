// opcode.go lists the instructions of SQLite's programs by what they do to results.

package sqlite

import "strings"

// reach is what an instruction reaches outside of its program's own registers and sorters. What is
// in no list is of a newer SQLite, or does things that no read and no write of rows does.
type reach uint8

const (
	beyond   reach = iota // unknown: it may do anything
	inside                // computes, or moves in tables that OpenRead opened
	changing              // changes what OpenWrite opened
	foreign               // reads what is not in a table of the database
)

// opcodes are the instructions by their names.
var opcodes = listOpcodes()

func listOpcodes() map[string]reach {
	all := map[string]reach{}
	for r, names := range map[reach]string{
		inside: insideOpcodes, changing: changingOpcodes, foreign: foreignOpcodes,
	} {
		for name := range strings.FieldsSeq(names) {
			all[name] = r
		}
	}
	return all
}

// insideOpcodes write, as far as they do, to sorters and temporary indexes: a program that
// Transaction has told to read cannot write more.
const insideOpcodes = `
	Abortable Add AddImm Affinity AggFinal AggInverse AggStep AggStep1 AggValue And BeginSubrtn
	BitAnd BitNot BitOr Blob Cast Close ClrSubtype CollSeq Column ColumnsUsed Compare Concat Copy
	Count CursorHint CursorLock CursorUnlock DecrJumpZero DeferredSeek Delete Divide ElseEq
	ElseNotEq EndCoroutine Eq Explain Filter FilterAdd FinishSeek Found Function Function0 Ge
	GetSubtype Gosub Goto Gt Halt IdxDelete IdxGE IdxGT IdxInsert IdxLE IdxLT IdxRowid If IfEmpty
	IfNoHope IfNot IfNotOpen IfNotZero IfNullRow IfPos IfSizeBetween IfSmaller Init InitCoroutine
	Insert Int64 IntCopy Integer IsNull IsTrue IsType Jump Last Le Lt MakeRecord Move Multiply
	MustBeInt Ne NewRowid Next NextIfOpen NoConflict Noop Not NotExists NotFound NotNull Null
	NullRow OffsetLimit Once OpenAutoindex OpenDup OpenEphemeral OpenPseudo OpenRead Or
	Permutation Prev PrevIfOpen PureFunc PureFunc0 Real RealAffinity ReleaseReg Remainder
	ReopenIdx ResetSorter ResultRow Return Rewind RowData RowSetAdd RowSetRead RowSetTest Rowid
	SCopy SeekGE SeekGT SeekHit SeekLE SeekLT SeekRowid SeekScan Sequence SequenceTest SetSubtype
	ShiftLeft ShiftRight SoftNull Sort SorterCompare SorterData SorterInsert SorterNext SorterOpen
	SorterSort String String8 Subtract TableLock Trace Transaction Variable Yield ZeroOrNull`

// changingOpcodes are those of INSERT, UPDATE and DELETE, of triggers and of foreign keys.
const changingOpcodes = `
	Clear FkCheck FkCounter FkIfZero HaltIfNull MemMax OpenWrite Param Program ResetCount RowCell
	SeekEnd TypeCheck`

// foreignOpcodes read virtual tables, and where a row is in the file.
const foreignOpcodes = `Offset VColumn VFilter VInitIn VNext VOpen`
