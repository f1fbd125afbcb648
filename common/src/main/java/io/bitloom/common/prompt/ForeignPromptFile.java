package io.bitloom.common.prompt;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What people give by mistake for a file of prompts, told by how it begins: one sentence for the
 * whole file that says what it is and what helps.
 */
final class ForeignPromptFile {

  /** What is read where it is uncompressed on the way. */
  private static final Map<String, String> COMPRESSED =
      Map.of(
          "\u001f\u008b", "is compressed by gzip: gunzip it",
          "(\u00b5/\u00fd", "is compressed by Zstandard: unzstd it");

  /** First bytes, in Latin-1, by what has them. */
  private static final Map<String, String> SIGNATURES =
      Map.ofEntries(
          Map.entry("BZh", "is compressed by bzip2: bunzip2 it"),
          Map.entry("\u00fd7zXZ", "is compressed by xz: unxz it"),
          Map.entry(
              "PK\u0003\u0004",
              "is a ZIP archive, as spreadsheets are too; unpack it, or save it as text"),
          Map.entry(
              "PAR1", "is a Parquet file; name it .parquet, or say so (--input-format parquet)"),
          Map.entry("SQLite format 3", "is an SQLite database; write its rows as lines of JSON"),
          Map.entry("%PDF", "is a PDF document"),
          Map.entry("\u0089PNG", "is a picture (PNG)"),
          Map.entry("\u00ff\u00d8\u00ff", "is a picture (JPEG)"),
          Map.entry(
              "version https://git-lfs.github.com/",
              "is a Git LFS pointer, the file itself was not downloaded: git lfs pull"));

  private static final Pattern CSV_QUOTED = Pattern.compile("\"\\s*\\{\\s*\"\"");
  private static final Pattern COLUMN_BREAK = Pattern.compile("[,;\t|]");
  private static final List<String> TEXT_COLUMNS =
      List.of("prompt", "caption", "text", "custom_id", "id");

  private ForeignPromptFile() {}

  /**
   * What is wrong with a file.
   *
   * @param bytes its first bytes
   * @param text the same as text
   * @return empty if it may be a file of prompts
   */
  static Optional<String> problem(byte[] bytes, String text) {
    String latin1 = new String(bytes, StandardCharsets.ISO_8859_1);
    Optional<String> compressed =
        COMPRESSED.keySet().stream().filter(latin1::startsWith).map(COMPRESSED::get).findAny();
    if (compressed.isPresent()) {
      return compressed;
    }
    Optional<String> binary = binary(bytes, text);
    if (binary.isPresent()) {
      return binary;
    }
    String begin = text.stripLeading();
    List<String> lines = begin.lines().filter(line -> !line.isBlank()).limit(1000).toList();
    if (lines.isEmpty()) {
      return Optional.empty();
    }
    if (lines.stream().anyMatch(line -> line.stripLeading().startsWith("{"))) {
      return ofObjects(begin, lines);
    }
    return Optional.of(withoutObjects(begin, lines.get(0)));
  }

  /** What is wrong with a file that is no text and not compressed. */
  static Optional<String> binary(byte[] bytes, String text) {
    String latin1 = new String(bytes, StandardCharsets.ISO_8859_1);
    if (COMPRESSED.keySet().stream().anyMatch(latin1::startsWith)) {
      return Optional.empty();
    }
    Optional<String> signature =
        SIGNATURES.keySet().stream().filter(latin1::startsWith).map(SIGNATURES::get).findAny();
    String begin = text.stripLeading();
    return signature.isEmpty() && begin.indexOf('\0') >= 0 && !begin.startsWith("{")
        ? Optional.of("is not a text file")
        : signature;
  }

  private static Optional<String> ofObjects(String begin, List<String> lines) {
    if (begin.startsWith("[")) {
      return Optional.of(ARRAY);
    }
    boolean spread = lines.get(0).strip().equals("{") && lines.size() > 1;
    return spread
        ? Optional.of("has objects over several lines, not one a line: jq -c . FILE writes it so")
        : Optional.empty();
  }

  private static final String ARRAY =
      "is a JSON array, not one object a line: jq -c '.[]' FILE writes it so";

  private static String withoutObjects(String begin, String first) {
    if (begin.startsWith("[")) {
      return ARRAY;
    }
    if (CSV_QUOTED.matcher(begin).lookingAt()) {
      return "has its lines in the quotes of CSV, with \"\" for \": export the column as plain text";
    }
    if (begin.startsWith("<")) {
      return "is a web page or XML, not lines of JSON";
    }
    if (isHeader(first)) {
      return "is a table (CSV), not lines of JSON; name it .csv";
    }
    return "has no line that is a JSON object such as {\"prompt\": \"a red fox\"};"
        + " a file of bare prompts is named .txt (or --input-format txt)";
  }

  private static boolean isHeader(String line) {
    return COLUMN_BREAK.matcher(line).find()
        && Arrays.stream(COLUMN_BREAK.split(line))
            .map(column -> column.replace("\"", "").strip().toLowerCase(Locale.ROOT))
            .anyMatch(TEXT_COLUMNS::contains);
  }
}
