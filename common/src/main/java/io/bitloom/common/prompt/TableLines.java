package io.bitloom.common.prompt;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * A table (CSV) as lines of JSON. The first row has the names of the fields; {@code caption} and
 * {@code text} stand for {@code prompt}, or columns are mapped to fields. An empty cell is a field
 * that is not there. Every row is in the line in which it begins in the table, so that messages
 * name the lines of the table.
 */
final class TableLines extends MadeLines {

  private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();
  private static final int HEAD_BYTES = 1 << 16;
  private static final String PROMPT = "prompt";
  private static final char[] DELIMITERS = {',', ';', '\t'};

  private final String file;
  private final RowBytes rowBytes;
  private final CSVParser parser;
  private final Iterator<CSVRecord> rows;
  private final List<String> fields;
  private byte[] header; // empty lines in its place
  private long line;

  /**
   * @param file for messages
   * @param utf8 without a byte order mark
   * @param columns fields by the names of their columns, other columns are passed over; empty: the
   *     columns have the names of fields
   * @throws PromptFileException if the first row names no prompt, or what no prompt has
   */
  TableLines(String file, InputStream utf8, Map<String, String> columns) throws IOException {
    this.file = file;
    rowBytes = new RowBytes(utf8);
    BufferedInputStream bytes = new BufferedInputStream(rowBytes, HEAD_BYTES);
    CSVFormat format =
        CSVFormat.DEFAULT.builder().setDelimiter(delimiter(bytes)).setIgnoreEmptyLines(false).get();
    InputStreamReader reader =
        new InputStreamReader(
            bytes,
            StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT));
    parser = CSVParser.builder().setReader(reader).setFormat(format).get();
    rows = parser.iterator();
    CSVRecord names = nextRow();
    fields =
        names == null
            ? List.of()
            : TableColumns.fields(file, names.toList(), columns, " in its first row");
    line = parser.getCurrentLineNumber();
    header = "\n".repeat((int) line).getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Counts what the parser reads for a row: a quote that is not closed must not fill the memory.
   */
  private static final class RowBytes extends FilterInputStream {

    /** The parser reads ahead. */
    private static final int MAX_BYTES = PromptLine.MAX_BYTES + HEAD_BYTES;

    private int count;

    RowBytes(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int n = in.read(bytes, offset, length);
      count += Math.max(0, n);
      if (count > MAX_BYTES) {
        throw new IOException("a row is longer than " + PromptLine.MAX_BYTES + " bytes");
      }
      return n;
    }
  }

  private static char delimiter(BufferedInputStream in) throws IOException {
    in.mark(HEAD_BYTES);
    String head = new String(in.readNBytes(HEAD_BYTES), StandardCharsets.UTF_8);
    in.reset();
    String first = head.lines().findFirst().orElse("");
    char best = DELIMITERS[0];
    for (char candidate : DELIMITERS) {
      if (count(first, candidate) > count(first, best)) {
        best = candidate;
      }
    }
    return best;
  }

  private static long count(String text, char character) {
    return text.chars().filter(c -> c == character).count();
  }

  @Override
  protected byte[] more() throws IOException {
    if (header.length > 0) {
      byte[] lines = header;
      header = new byte[0];
      return lines;
    }
    long begin = parser.getCurrentLineNumber() + 1;
    CSVRecord row = nextRow();
    if (row == null) {
      return null;
    }
    StringBuilder text = new StringBuilder();
    for (; line < begin - 1; line++) {
      text.append('\n');
    }
    text.append(json(row)).append('\n');
    line++;
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private CSVRecord nextRow() throws PromptFileException {
    rowBytes.count = 0;
    try {
      return rows.hasNext() ? rows.next() : null;
    } catch (UncheckedIOException | IllegalStateException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new PromptFileException(
          file,
          cause instanceof CharacterCodingException
              ? "is not valid UTF-8 after line " + parser.getCurrentLineNumber()
              : "is no table that can be read: " + cause.getMessage());
    }
  }

  /** Empty for an empty row. */
  private String json(CSVRecord row) {
    JsonObject object = new JsonObject();
    for (int i = 0; i < row.size(); i++) {
      String cell = row.get(i);
      if (!cell.isBlank()) {
        String field = i < fields.size() ? fields.get(i) : "column " + (i + 1);
        if (!field.isEmpty()) {
          object.add(field, value(field, cell));
        }
      }
    }
    return object.size() == 0 ? "" : GSON.toJson(object);
  }

  private static JsonElement value(String field, String cell) {
    if (PromptLine.TEXT_FIELDS.contains(field)) {
      return new JsonPrimitive(field.equals(PROMPT) ? cell : cell.strip());
    }
    try {
      JsonReader reader = new JsonReader(new StringReader(cell.strip()));
      reader.setStrictness(Strictness.STRICT);
      JsonElement element = JsonParser.parseReader(reader);
      if (element instanceof JsonPrimitive || element instanceof JsonArray) {
        return element;
      }
    } catch (JsonParseException e) {
      // Text, which the field will refuse by its name.
    }
    return new JsonPrimitive(cell);
  }

  @Override
  public void close() throws IOException {
    parser.close();
  }
}
