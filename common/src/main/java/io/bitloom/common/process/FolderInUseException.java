package io.bitloom.common.process;

import java.io.IOException;

/** A folder belongs to another process, which the message names. */
public final class FolderInUseException extends IOException {

  private static final long serialVersionUID = 1;

  FolderInUseException(String message) {
    super(message);
  }
}
