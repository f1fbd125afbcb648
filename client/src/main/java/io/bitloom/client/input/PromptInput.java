package io.bitloom.client.input;

import io.bitloom.common.prompt.FileBytes;
import io.bitloom.common.prompt.PromptContent;
import io.bitloom.common.prompt.PromptFileException;
import io.bitloom.common.prompt.PromptFormat;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.Stream;

/**
 * Where a command's prompts come from: a file, or a pipe, which is read once into a file of its
 * own. That is deleted when this is closed or the program ends, unless it is still needed.
 */
public final class PromptInput implements AutoCloseable {

  /** How long a pipe may be silent unless it is said otherwise. */
  public static final Duration PATIENCE = Duration.ofSeconds(30);

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
  private Optional<PromptFormat> format = Optional.empty();
  private Map<String, String> columns = Map.of();
  private volatile boolean needed;

  private PromptInput(String name, Path file, boolean isSpool) {
    this.name = name;
    this.file = file;
    this.isSpool = isSpool;
    if (isSpool) {
      Runtime.getRuntime().addShutdownHook(onExit);
    }
  }

  /** A file with prompts. */
  public record Part(String name, PromptFormat format, Map<String, String> columns, Path file) {

    /** Opens it from its start, as lines of UTF-8 or of an encoding that they begin with. */
    public InputStream open() throws IOException {
      return new PromptContent(name, format, columns, Long.MAX_VALUE).open(new FileBytes(file));
    }
  }

  /**
   * Finds the prompts, and reads them if they come through a pipe.
   *
   * @param argument path of a file, a folder or a pipe, or {@code -} for standard input
   * @param format of all files; empty to go by their names, and to take lines of JSON where those
   *     say nothing
   * @param columns fields of prompts by the columns of tables that have them; empty: they have the
   *     fields' own names
   * @param patience how long a pipe may be silent before its first byte
   * @param notes told of a file's name and what is worth knowing about it
   * @throws PromptFileException if it is neither a file nor a pipe that delivers
   */
  public static PromptInput open(
      String argument,
      Optional<PromptFormat> format,
      Map<String, String> columns,
      Duration patience,
      BiConsumer<String, String> notes)
      throws IOException {
    if (argument.isBlank()) {
      throw new PromptFileException("\"" + argument + "\"", "is not the name of a file");
    }
    PromptInput input =
        STANDARD_INPUTS.contains(argument)
            ? standardInput(patience, notes)
            : named(argument, patience, notes);
    input.format = format;
    input.columns = Map.copyOf(columns);
    return input;
  }

  private static PromptInput named(
      String argument, Duration patience, BiConsumer<String, String> notes) throws IOException {
    Path path = path(argument);
    return switch (type(argument, path)) {
      case FILE, FOLDER -> new PromptInput(argument, readable(argument, path), false);
      case PIPE ->
          spooled(new Spool(argument, patience, notes), argument, () -> Files.newInputStream(path));
      case CHARACTER_DEVICE -> device(argument, path, notes);
      default -> throw neither(argument);
    };
  }

  private static PromptInput standardInput(Duration patience, BiConsumer<String, String> notes)
      throws IOException {
    String name = "standard input";
    int type = type(name, STANDARD_INPUT);
    if (type == CHARACTER_DEVICE) {
      return device(name, STANDARD_INPUT, notes);
    }
    if (type == FOLDER) {
      throw neither(name);
    }
    Spool spool = new Spool(name, patience, notes);
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
  private static PromptInput device(String name, Path path, BiConsumer<String, String> notes)
      throws IOException {
    String device = path.toRealPath().toString();
    if (device.equals("/dev/null")) {
      return new PromptInput(name, path, false);
    }
    if (!device.startsWith("/dev/pts/") && !device.startsWith("/dev/tty")) {
      throw neither(name);
    }
    Spool spool = new Spool(name, Spool.FOREVER, notes);
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

  /**
   * The files, those of a folder by their names: all whose names say a format, without the folders
   * in it and without hidden ones.
   *
   * @throws PromptFileException if a folder has none
   */
  public List<Part> parts() throws IOException {
    if (!Files.isDirectory(file)) {
      return checked(List.of(part(name, file)));
    }
    try (Stream<Path> files = Files.list(file)) {
      List<Part> parts =
          files
              .filter(path -> Files.isRegularFile(path) && !isHidden(path))
              .filter(path -> PromptFormat.ofName(path.toString()).isPresent())
              .sorted()
              .map(path -> part(path.toString(), path))
              .toList();
      if (parts.isEmpty()) {
        throw new PromptFileException(
            name,
            "is a folder without files named .jsonl, .txt, .csv (or with .gz, .zst) or .parquet");
      }
      return checked(parts);
    }
  }

  /** Columns can be mapped only where there are some. */
  private static List<Part> checked(List<Part> parts) throws PromptFileException {
    for (Part part : parts) {
      if (!part.columns().isEmpty() && !part.format().isTable()) {
        throw new PromptFileException(part.name(), "is no table, and has no columns (--column)");
      }
    }
    return parts;
  }

  private static boolean isHidden(Path path) {
    return path.getFileName().toString().startsWith(".");
  }

  private Part part(String name, Path path) {
    PromptFormat said = format.or(() -> PromptFormat.ofName(name)).orElse(PromptFormat.JSONL);
    return new Part(name, said, columns, path);
  }

  /** For messages. */
  public String name() {
    return name;
  }

  /** What a job of these prompts may be called. */
  public String title() {
    return isSpool ? name : file.toAbsolutePath().normalize().getFileName().toString();
  }

  /** Where they lie, to be read any number of times. */
  public Path file() {
    return file;
  }

  /** While the prompts are needed to go on with a submission, ending the program keeps them. */
  public void needed(boolean needed) {
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
