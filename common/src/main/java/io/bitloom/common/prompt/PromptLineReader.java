package io.bitloom.common.prompt;

import static java.util.stream.Collectors.joining;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.rules.PromptLineException;
import io.bitloom.common.rules.PromptText;
import io.bitloom.v1.Prompt;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Reads a JSONL prompt file line by line.
 *
 * <p>Good lines are returned; a bad one is handed to the caller's consumer and reading goes on, so
 * that one pass names every bad line. A repeated {@code custom_id} is bad. Blank lines and a byte
 * order mark at the start are passed over. UTF-16 and UTF-32 are read, and so are lines that end in
 * CR alone; what was done is in the {@link #notes}. Memory does not grow with the file but for 12
 * to 24 bytes for each {@code custom_id}.
 */
public final class PromptLineReader implements AutoCloseable {

  /** A good line. Lines count from 1. */
  public record NumberedPrompt(long line, Prompt prompt) {}

  /**
   * A line that cannot be taken.
   *
   * @param field the first field that is wrong, or empty if the line as a whole is
   * @param value what that field holds
   * @param message all that is wrong, with fields and values
   * @param kind what lines have in common that are wrong in the same way, whatever their values
   */
  public record BadLine(
      String file, long line, String field, String value, String message, String kind) {

    /** {@code prompts.jsonl:17: colour is not a known field: "red"}. */
    @Override
    public String toString() {
      return file + ":" + line + ": " + message;
    }
  }

  /**
   * Between two lines.
   *
   * @param line how many lines there are before it
   * @param bytes how many bytes of UTF-8 these have with their ends
   */
  public record Place(long line, long bytes) {

    /** Before the first line. */
    public static final Place START = new Place(0, 0);
  }

  /** So much of a file tells what it is. */
  public static final int HEAD_BYTES = 1 << 16;

  /** What a line is. */
  public enum Syntax {
    /** A JSON object. */
    JSON,
    /** The text of a prompt. */
    TEXT
  }

  /** Fields of {@link io.bitloom.v1.Sampling} are fields of the line itself. */
  private static final String SAMPLING = "sampling.";

  private static final int END = -1;

  private final String file;
  private final InputStream in;
  private final TextEncoding encoding;
  private final int lineEnd;
  private final PromptNotes notes = new PromptNotes();
  private final Function<Prompt, List<FieldViolation>> rules;
  private final Consumer<BadLine> badLines;
  private final Syntax syntax;
  private final CustomIds customIds;
  private final CharsetDecoder utf8 =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT);

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(1024);
  private long line;
  private long position;

  /**
   * @param file the file's name, for messages
   * @param in read to its end and closed with this reader
   * @param rules what is wrong with a prompt, {@link PromptRules#check} at least
   * @param badLines told of every bad line, in order
   * @throws PromptFileException if it cannot be a file of prompts; the stream is closed
   */
  public PromptLineReader(
      String file,
      InputStream in,
      Function<Prompt, List<FieldViolation>> rules,
      Consumer<BadLine> badLines)
      throws IOException {
    this(file, in, Syntax.JSON, new CustomIds(), rules, badLines);
  }

  /**
   * Reads one of several files.
   *
   * @param syntax of its lines
   * @param customIds of the files before
   * @see #PromptLineReader(String, InputStream, Function, Consumer)
   */
  public PromptLineReader(
      String file,
      InputStream in,
      Syntax syntax,
      CustomIds customIds,
      Function<Prompt, List<FieldViolation>> rules,
      Consumer<BadLine> badLines)
      throws IOException {
    this.syntax = syntax;
    this.customIds = customIds;
    customIds.begin(file);
    this.file = file;
    this.rules = rules;
    this.badLines = badLines;
    BufferedInputStream bytes = new BufferedInputStream(in, HEAD_BYTES);
    bytes.mark(HEAD_BYTES);
    byte[] head = bytes.readNBytes(HEAD_BYTES);
    bytes.reset();
    encoding = TextEncoding.of(head);
    String text = encoding.decode(head);
    try {
      if (syntax == Syntax.JSON) {
        refuseForeign(file, head);
      } else {
        refuseNoText(file, head);
      }
    } catch (PromptFileException e) {
      bytes.close();
      throw e;
    }
    bytes.skipNBytes(encoding.markBytes());
    this.in =
        encoding.isUtf8()
            ? bytes
            : new BufferedInputStream(new Utf8Stream(bytes, charset()), HEAD_BYTES);
    if (!encoding.isUtf8()) {
      notes.say("read as " + charset());
    }
    boolean macintosh = text.indexOf('\r') >= 0 && text.indexOf('\n') < 0;
    lineEnd = macintosh ? '\r' : '\n';
    if (macintosh && text.strip().indexOf('\r') >= 0) {
      notes.say("its lines end in CR alone");
    }
  }

  /**
   * Tells what is no file of prompts by how it begins.
   *
   * @param head its first bytes, {@link #HEAD_BYTES} of them if there are so many
   * @throws PromptFileException saying what it is
   */
  public static void refuseForeign(String file, byte[] head) throws PromptFileException {
    Optional<String> problem = ForeignPromptFile.problem(head, TextEncoding.of(head).decode(head));
    if (problem.isPresent()) {
      throw new PromptFileException(file, problem.get());
    }
  }

  private static void refuseNoText(String file, byte[] head) throws PromptFileException {
    refuseBinary(file, head);
    String begin = TextEncoding.of(head).decode(head).stripLeading();
    if (begin.startsWith("{\"") || begin.startsWith("[{")) {
      throw new PromptFileException(file, "has JSON in it; name it .jsonl, not .txt");
    }
  }

  /**
   * Tells what is no text file by how it begins. Compressed files are not told.
   *
   * @param head its first bytes, {@link #HEAD_BYTES} of them if there are so many
   * @throws PromptFileException saying what it is
   */
  public static void refuseBinary(String file, byte[] head) throws PromptFileException {
    Optional<String> problem = ForeignPromptFile.binary(head, TextEncoding.of(head).decode(head));
    if (problem.isPresent()) {
      throw new PromptFileException(file, problem.get());
    }
  }

  /**
   * A text file as UTF-8 without a byte order mark.
   *
   * @throws PromptFileException if it is no text
   */
  public static InputStream utf8(String file, InputStream in) throws IOException {
    BufferedInputStream bytes = new BufferedInputStream(in, HEAD_BYTES);
    bytes.mark(HEAD_BYTES);
    byte[] head = bytes.readNBytes(HEAD_BYTES);
    bytes.reset();
    refuseBinary(file, head);
    TextEncoding encoding = TextEncoding.of(head);
    bytes.skipNBytes(encoding.markBytes());
    return encoding.isUtf8() ? bytes : new Utf8Stream(bytes, encoding.charset());
  }

  private Charset charset() {
    return encoding.charset();
  }

  /** The next good line, or null after the last one. */
  public NumberedPrompt next() throws IOException {
    while (readLine()) {
      try {
        String text = decoded();
        if (!text.isBlank()) {
          Set<String> withoutUse = new TreeSet<>();
          Prompt prompt =
              syntax == Syntax.JSON
                  ? PromptLine.parse(text, withoutUse::add)
                  : Prompt.newBuilder().setPrompt(text.strip()).build();
          refuseRepeated(prompt.getCustomId());
          List<FieldViolation> violations = rules.apply(prompt);
          if (violations.isEmpty()) {
            note(prompt, withoutUse);
            return new NumberedPrompt(line, prompt);
          }
          badLines.accept(badLine(violations));
        }
      } catch (PromptLineException e) {
        badLines.accept(new BadLine(file, line, e.field(), e.value(), e.getMessage(), e.kind()));
      }
    }
    return null;
  }

  /** Behind the line that was read last. */
  public Place place() {
    return new Place(line, position);
  }

  /**
   * Passes over lines without looking at them, which is fast where the stream can skip.
   *
   * @param place of a reader of the same content; nothing was read of this one yet
   */
  public void skipTo(Place place) throws IOException {
    in.skipNBytes(place.bytes());
    line = place.line();
    position = place.bytes();
    customIds.reached(line);
  }

  /** What was done to read the prompts so far. */
  public PromptNotes notes() {
    return notes;
  }

  private void note(Prompt prompt, Set<String> withoutUse) {
    notes.strays(
        line,
        PromptText.strays(prompt.getPrompt()) + PromptText.strays(prompt.getNegativePrompt()));
    withoutUse.forEach(field -> notes.withoutUse(line, field));
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  private void refuseRepeated(String customId) throws PromptLineException {
    if (customId.isEmpty()) {
      return;
    }
    Optional<String> earlier = customIds.add(customId, line);
    if (earlier.isPresent()) {
      throw PromptLineException.repeated("custom_id", customId, earlier.get());
    }
  }

  private BadLine badLine(List<FieldViolation> violations) {
    List<FieldViolation> inLine =
        violations.stream()
            .map(v -> new FieldViolation(v.field().replace(SAMPLING, ""), v.value(), v.message()))
            .toList();
    String message = inLine.stream().map(FieldViolation::toString).collect(joining("; "));
    FieldViolation first = inLine.get(0);
    String kind = inLine.stream().map(v -> v.field() + " " + v.message()).collect(joining("; "));
    return new BadLine(file, line, first.field(), first.value(), message, kind);
  }

  /** Reads the next line's bytes, at most one more than are allowed; false at the file's end. */
  private boolean readLine() throws IOException {
    bytes.reset();
    int b = in.read();
    if (b == END) {
      return false;
    }
    line++;
    position++;
    customIds.reached(line);
    for (; b != END && b != lineEnd; b = nextByte()) {
      if (bytes.size() <= PromptLine.MAX_BYTES) {
        bytes.write(b);
      }
    }
    return true;
  }

  private int nextByte() throws IOException {
    int b = in.read();
    position += b == END ? 0 : 1;
    return b;
  }

  private String decoded() throws PromptLineException {
    if (bytes.size() > PromptLine.MAX_BYTES) {
      throw PromptLineException.ofLine(
          "the line is longer than " + PromptLine.MAX_BYTES + " bytes", "");
    }
    ByteBuffer encoded = ByteBuffer.wrap(bytes.toByteArray());
    try {
      return utf8.decode(encoded).toString();
    } catch (CharacterCodingException e) {
      throw notInItsEncoding(encoded);
    }
  }

  /** The decoder left the buffer before the byte that it stumbled over. */
  private PromptLineException notInItsEncoding(ByteBuffer stumbled) {
    if (!encoding.isUtf8()) {
      return PromptLineException.ofLine("not valid " + charset(), "");
    }
    return PromptLineException.ofLine(
        "not valid UTF-8",
        String.format(
            Locale.ROOT,
            ": byte %02X at %d; where a whole file is so, say its encoding to convert it: iconv -f WINDOWS-1252 -t UTF-8",
            stumbled.get(stumbled.position()),
            stumbled.position() + 1));
  }
}
