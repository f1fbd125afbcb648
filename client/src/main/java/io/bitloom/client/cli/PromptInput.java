package io.bitloom.client.cli;

import io.bitloom.common.prompt.PromptFileException;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;

/**
 * Where a command's prompts come from: a file, or a pipe, which is read once into a file of its
 * own. That is deleted when this is closed or the program ends, unless it is still needed.
 */
final class PromptInput implements AutoCloseable {

  static final Duration PATIENCE = Duration.ofSeconds(30);

  /** Types of files in {@code st_mode}. */
  private static final int TYPE = 0170000;

  private static final int PIPE = 0010000;
  private static final int CHARACTER_DEVICE = 0020000;
  private static final int FOLDER = 0040000;
  private static final int FILE = 0100000;

  private static final Path STANDARD_INPUT = Path.of("/proc/self/fd/0");
  private static final Set<String> STANDARD_INPUTS =
      Set.of("-", "/dev/stdin", "/dev/fd/0", STANDARD_INPUT.toString());

  private final String name;
  private final Path file;
  private final boolean isSpool;
  private final Thread onExit = new Thread(this::deleteSpool, "prompt-input");
  private volatile boolean needed;

  private PromptInput(String name, Path file, boolean isSpool) {
    this.name = name;
    this.file = file;
    this.isSpool = isSpool;
    if (isSpool) {
      Runtime.getRuntime().addShutdownHook(onExit);
    }
  }

  /**
   * Finds the prompts, and reads them if they come through a pipe.
   *
   * @param argument path of a file or of a pipe, or {@code -} for standard input
   * @param patience how long a pipe may be silent before its first byte
   * @throws PromptFileException if it is neither a file nor a pipe that delivers
   */
  static PromptInput open(String argument, Duration patience, Console console) throws IOException {
    if (STANDARD_INPUTS.contains(argument)) {
      return standardInput(patience, console);
    }
    Path path = path(argument);
    return switch (type(argument, path)) {
      case FILE -> new PromptInput(argument, readable(argument, path), false);
      case PIPE ->
          spooled(
              new Spool(argument, patience, console), argument, () -> Files.newInputStream(path));
      case CHARACTER_DEVICE -> device(argument, path, console);
      case FOLDER -> throw new PromptFileException(argument, "cannot be read, it is a folder");
      default -> throw neither(argument);
    };
  }

  private static PromptInput standardInput(Duration patience, Console console) throws IOException {
    String name = "standard input";
    int type = type(name, STANDARD_INPUT);
    if (type == CHARACTER_DEVICE) {
      return device(name, STANDARD_INPUT, console);
    }
    if (type == FOLDER) {
      throw neither(name);
    }
    Spool spool = new Spool(name, patience, console);
    return spooled(spool, name, () -> new FileInputStream(FileDescriptor.in));
  }

  /** Its file is there, and known to be deleted, before anything is read. */
  private static PromptInput spooled(Spool spool, String name, Spool.Source source)
      throws IOException {
    Path file = Files.createTempFile("bitloom-prompts-", ".jsonl"); // for this user alone
    PromptInput input = new PromptInput(name, file, true);
    boolean full = false;
    try {
      spool.fill(source, file);
      full = true;
      return input;
    } finally {
      if (!full) {
        input.close();
      }
    }
  }

  /** Of all devices only a terminal has an end, and the null device nothing. */
  private static PromptInput device(String name, Path path, Console console) throws IOException {
    String device = path.toRealPath().toString();
    if (device.equals("/dev/null")) {
      return new PromptInput(name, path, false);
    }
    if (!device.startsWith("/dev/pts/") && !device.startsWith("/dev/tty")) {
      throw neither(name);
    }
    Spool spool = new Spool(name, Spool.FOREVER, console);
    spool.say("reading prompts from the terminal; Ctrl-D ends them");
    return spooled(spool, name, () -> Files.newInputStream(path));
  }

  private static PromptFileException neither(String name) {
    return new PromptFileException(name, "cannot be read, it is a device and not a file or a pipe");
  }

  private static Path path(String argument) throws PromptFileException {
    try {
      return Path.of(argument);
    } catch (InvalidPathException e) {
      throw new PromptFileException(argument, "cannot be the name of a file");
    }
  }

  private static int type(String name, Path path) throws PromptFileException {
    try {
      return (Integer) Files.getAttribute(path, "unix:mode") & TYPE;
    } catch (NoSuchFileException e) {
      throw new PromptFileException(name, "cannot read the file, there is none");
    } catch (AccessDeniedException e) {
      throw new PromptFileException(name, "cannot read the file, it is not permitted");
    } catch (IOException e) {
      throw new PromptFileException(name, "cannot read the file: " + e.getMessage());
    }
  }

  private static Path readable(String name, Path path) throws PromptFileException {
    if (!Files.isReadable(path)) {
      throw new PromptFileException(name, "cannot read the file, it is not permitted");
    }
    return path;
  }

  /** For messages. */
  String name() {
    return name;
  }

  /** What a job of these prompts may be called. */
  String title() {
    return isSpool ? name : file.getFileName().toString();
  }

  /** Where they lie, to be read any number of times. */
  Path file() {
    return file;
  }

  /** While the prompts are needed to go on with a submission, ending the program keeps them. */
  void needed(boolean needed) {
    this.needed = needed;
  }

  private void deleteSpool() {
    if (needed) {
      return;
    }
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    if (!isSpool) {
      return;
    }
    try {
      Runtime.getRuntime().removeShutdownHook(onExit);
      deleteSpool();
    } catch (IllegalStateException e) {
      // The program is being ended, and the hook does it.
    }
  }
}
