package schema

import "github.com/apache/arrow/go/v15/arrow"

// A document column holds JSON: Arrow utf8 whose every value is one strict JSON text, marked by the metadata of its field as
// Arrow's canonical extension type arrow.json is. It is what events are where nobody declares what is in them.
const (
	jsonType      = "json"
	extensionKey  = "ARROW:extension:name"
	extensionJSON = "arrow.json"
)

var jsonMetadata = arrow.NewMetadata([]string{extensionKey}, []string{extensionJSON})

// JSON returns a column that holds documents.
func JSON(name string, nullable bool) arrow.Field {
	return arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: nullable, Metadata: jsonMetadata}
}

// IsJSON reports whether a column holds documents.
func IsJSON(f arrow.Field) bool {
	if f.Type == nil || f.Type.ID() != arrow.STRING {
		return false
	}
	at := f.Metadata.FindKey(extensionKey)
	return at >= 0 && f.Metadata.Values()[at] == extensionJSON
}

// DocumentColumn is the name of the one column of a document stream.
const DocumentColumn = "event"

var document = arrow.NewSchema([]arrow.Field{JSON(DocumentColumn, false)}, nil)

// Document returns the schema of a document stream: one document column named "event", without nulls.
func Document() *arrow.Schema { return document }

// IsDocument reports whether s, which may be nil, is the schema of a document stream: one document column and nothing else, whatever its name.
func IsDocument(s *arrow.Schema) bool { return s != nil && len(s.Fields()) == 1 && IsJSON(s.Field(0)) }
