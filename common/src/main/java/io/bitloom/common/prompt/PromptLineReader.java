package io.bitloom.common.prompt;

import static java.util.stream.Collectors.joining;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.v1.Prompt;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Reads a JSONL prompt file line by line.
 *
 * <p>Good lines are returned; a bad one is handed to the caller's consumer and reading goes on, so
 * that one pass names every bad line. A repeated {@code custom_id} is bad. Blank lines and a byte
 * order mark at the start are passed over. Memory does not grow with the file but for 12 to 24
 * bytes for each {@code custom_id}.
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
   */
  public record BadLine(String file, long line, String field, String value, String message) {

    /** {@code prompts.jsonl:17: colour is not a known field: "red"}. */
    @Override
    public String toString() {
      return file + ":" + line + ": " + message;
    }
  }

  /** Fields of {@link io.bitloom.v1.Sampling} are fields of the line itself. */
  private static final String SAMPLING = "sampling.";

  private static final int BUFFER_BYTES = 1 << 16;
  private static final int END = -1;

  private final String file;
  private final InputStream in;
  private final Function<Prompt, List<FieldViolation>> rules;
  private final Consumer<BadLine> badLines;
  private final NameIndex customIds = new NameIndex();
  private final CharsetDecoder utf8 =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT);

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(1024);
  private long line;

  /**
   * @param file the file's name, for messages
   * @param in read to its end and closed with this reader
   * @param rules what is wrong with a prompt, {@link PromptRules#check} at least
   * @param badLines told of every bad line, in order
   */
  public PromptLineReader(
      String file,
      InputStream in,
      Function<Prompt, List<FieldViolation>> rules,
      Consumer<BadLine> badLines) {
    this.file = file;
    this.in = new BufferedInputStream(in, BUFFER_BYTES);
    this.rules = rules;
    this.badLines = badLines;
  }

  /** The next good line, or null after the last one. */
  public NumberedPrompt next() throws IOException {
    while (readLine()) {
      try {
        String text = decoded();
        if (!text.isBlank()) {
          Prompt prompt = PromptLine.parse(text);
          refuseRepeated(prompt.getCustomId());
          List<FieldViolation> violations = rules.apply(prompt);
          if (violations.isEmpty()) {
            return new NumberedPrompt(line, prompt);
          }
          badLines.accept(badLine(violations));
        }
      } catch (PromptLineException e) {
        badLines.accept(new BadLine(file, line, e.field(), e.value(), e.getMessage()));
      }
    }
    return null;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  private void refuseRepeated(String customId) throws PromptLineException {
    if (customId.isEmpty()) {
      return;
    }
    OptionalLong earlier = customIds.add(customId, line);
    if (earlier.isPresent()) {
      throw new PromptLineException(
          "custom_id", '"' + customId + '"', "is the same as in line " + earlier.getAsLong());
    }
  }

  private BadLine badLine(List<FieldViolation> violations) {
    List<FieldViolation> inLine =
        violations.stream()
            .map(v -> new FieldViolation(v.field().replace(SAMPLING, ""), v.value(), v.message()))
            .toList();
    String message = inLine.stream().map(FieldViolation::toString).collect(joining("; "));
    FieldViolation first = inLine.get(0);
    return new BadLine(file, line, first.field(), first.value(), message);
  }

  /** Reads the next line's bytes, at most one more than are allowed; false at the file's end. */
  private boolean readLine() throws IOException {
    bytes.reset();
    int b = in.read();
    if (b == END) {
      return false;
    }
    line++;
    for (; b != END && b != '\n'; b = in.read()) {
      if (bytes.size() <= PromptLine.MAX_BYTES) {
        bytes.write(b);
      }
    }
    return true;
  }

  private String decoded() throws PromptLineException {
    if (bytes.size() > PromptLine.MAX_BYTES) {
      throw new PromptLineException(
          "", "", "the line is longer than " + PromptLine.MAX_BYTES + " bytes");
    }
    try {
      String text = utf8.decode(ByteBuffer.wrap(bytes.toByteArray())).toString();
      return line == 1 && text.startsWith("\uFEFF") ? text.substring(1) : text;
    } catch (CharacterCodingException e) {
      throw new PromptLineException("", "", "not valid UTF-8");
    }
  }
}
