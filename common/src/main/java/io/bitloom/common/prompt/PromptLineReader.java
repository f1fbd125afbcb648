package io.bitloom.common.prompt;

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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.function.Consumer;

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

  /** A line that cannot be taken, and why. */
  public record BadLine(String file, long line, PromptLineException problem) {

    /** {@code prompts.jsonl:17: size is not a known field: "big"}. */
    @Override
    public String toString() {
      String value = problem.field().isEmpty() ? "" : problem.value();
      return file
          + ":"
          + line
          + ": "
          + problem.getMessage()
          + (value.isEmpty() ? "" : ": " + value);
    }
  }

  private static final int BUFFER_BYTES = 1 << 16;
  private static final int END = -1;

  private final String file;
  private final InputStream in;
  private final Consumer<BadLine> badLines;
  private final CustomIdIndex customIds = new CustomIdIndex();
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
   * @param badLines told of every bad line, in order
   */
  public PromptLineReader(String file, InputStream in, Consumer<BadLine> badLines) {
    this.file = file;
    this.in = new BufferedInputStream(in, BUFFER_BYTES);
    this.badLines = badLines;
  }

  /** Opens a file. */
  public static PromptLineReader open(Path file, Consumer<BadLine> badLines) throws IOException {
    return new PromptLineReader(file.toString(), Files.newInputStream(file), badLines);
  }

  /** The next good line, or null after the last one. */
  public NumberedPrompt next() throws IOException {
    while (readLine()) {
      try {
        String text = decoded();
        if (!text.isBlank()) {
          return new NumberedPrompt(line, checked(PromptLine.parse(text)));
        }
      } catch (PromptLineException e) {
        badLines.accept(new BadLine(file, line, e));
      }
    }
    return null;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  private Prompt checked(Prompt prompt) throws PromptLineException {
    String customId = prompt.getCustomId();
    if (!customId.isEmpty()) {
      OptionalLong earlier = customIds.add(customId, line);
      if (earlier.isPresent()) {
        throw new PromptLineException(
            "custom_id", customId, "is the same as in line " + earlier.getAsLong());
      }
    }
    return prompt;
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
      throw new PromptLineException("", "", "is not valid UTF-8");
    }
  }
}
