package io.bitloom.common.prompt;

import java.io.IOException;

/** A file that cannot be read as prompts at all. The message names it and says what helps. */
public final class PromptFileException extends IOException {

  private static final long serialVersionUID = 1;

  public PromptFileException(String file, String problem) {
    super(file + ": " + problem);
  }
}
