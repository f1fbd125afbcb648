package io.bitloom.common.prompt;

import com.google.gson.stream.JsonWriter;
import io.bitloom.common.rules.PromptJson;
import io.bitloom.common.rules.PromptLineException;
import io.bitloom.v1.Prompt;
import java.io.IOException;
import java.util.Set;
import java.util.function.Consumer;

/** {@link PromptJson} for prompts that go over the wire. */
public final class PromptLine {

  /** Longest line that is read, in bytes. */
  public static final int MAX_BYTES = PromptJson.MAX_BYTES;

  /** Fields of a line whose value is text. */
  public static final Set<String> TEXT_FIELDS = PromptJson.TEXT_FIELDS;

  /** All fields of a line that say something about a prompt. */
  public static final Set<String> FIELDS = PromptJson.FIELDS;

  private PromptLine() {}

  /** Reads one line, without its line end. */
  public static Prompt parse(String line) throws PromptLineException {
    return PromptMessages.message(PromptJson.parse(line));
  }

  /**
   * Reads one line, without its line end.
   *
   * @param withoutUse told of fields that are known and mean nothing here
   */
  static Prompt parse(String line, Consumer<String> withoutUse) throws PromptLineException {
    return PromptMessages.message(PromptJson.parse(line, withoutUse));
  }

  /** Writes a prompt as one line, without a line end; {@link #parse} gives the prompt back. */
  public static String format(Prompt prompt) {
    return PromptJson.format(PromptMessages.prompt(prompt));
  }

  /** Writes the fields that a prompt has into an object that the caller opened. */
  public static void write(Prompt prompt, JsonWriter json) throws IOException {
    PromptJson.write(PromptMessages.prompt(prompt), json);
  }
}
