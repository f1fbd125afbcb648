package io.bitloom.training.run;

import java.nio.file.Path;

/**
 * A run cannot begin, and whoever started it can mend why. The message is one line that names the
 * run's folder, the reason and what to do.
 */
public final class RunRefusedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  RunRefusedException(Path folder, String reason) {
    super(folder + ": " + reason);
  }

  RunRefusedException(Path folder, String reason, Throwable cause) {
    super(folder + ": " + reason, cause);
  }
}
