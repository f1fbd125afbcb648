package io.bitloom.coordinator.redis;

import io.bitloom.common.file.WholeFile;
import io.bitloom.common.net.ServerAddress;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import redis.embedded.core.ExecutableProvider;
import redis.embedded.model.OsArchitecture;

/**
 * The directory of a Redis server: its program, configuration, data and log. The program is copied
 * here so that the process of this very directory can be told from every other one, whatever became
 * of process and port numbers since.
 */
final class RedisServerDirectory {

  /** File locks keep processes apart, this one the threads of this process. */
  private static final ReentrantLock IN_THIS_PROCESS = new ReentrantLock();

  private final Path directory;
  private final Path program;
  private final Path configuration;
  private final Path socket;

  /** Takes the directory from all other users: who can read it has prompts of all tenants. */
  RedisServerDirectory(Path directory) throws IOException {
    PrivateFolder.make(Files.exists(directory) ? directory.toRealPath() : directory);
    this.directory = directory.toRealPath();
    this.program = this.directory.resolve("redis-server");
    this.configuration = this.directory.resolve("redis.conf");
    this.socket = socket(this.directory);
  }

  /** In the directory, or in a temporary folder if that has too long a name. */
  private static Path socket(Path directory) {
    Path here = directory.resolve("socket");
    byte[] name = here.toString().getBytes(StandardCharsets.UTF_8);
    return name.length <= ServerAddress.MAX_SOCKET_PATH_BYTES
        ? here
        : Path.of(
            System.getProperty("java.io.tmpdir"),
            "bitloom-" + UUID.nameUUIDFromBytes(name),
            "socket");
  }

  Path path() {
    return directory;
  }

  /** Does something while nobody else starts or stops the server of this directory. */
  <T> T locked(Callable<T> action) throws IOException {
    IN_THIS_PROCESS.lock();
    try (FileChannel file =
        FileChannel.open(
            directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      file.lock();
      return action.call();
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException(e);
    } finally {
      IN_THIS_PROCESS.unlock();
    }
  }

  /** The process of this directory's server. */
  Optional<ProcessHandle> server() {
    String command = program.toString();
    return ProcessHandle.allProcesses()
        .filter(process -> process.info().command().filter(command::equals).isPresent())
        .filter(ProcessHandle::isAlive)
        .findFirst();
  }

  /** Where the server listens, and nowhere else. */
  Path socket() {
    return socket;
  }

  /** Starts a server. */
  void launch() throws IOException {
    installProgram();
    PrivateFolder.make(socket.getParent());
    writeConfiguration();
    Process process =
        new ProcessBuilder(program.toString(), configuration.toString())
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("redis.out").toFile())
            .start();
    try {
      // The server goes to the background by itself, so that no signal to us reaches it.
      if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
        process.destroyForcibly();
        throw new IOException(program + " does not start: " + lastWords());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while " + program + " started", e);
    }
  }

  private void writeConfiguration() throws IOException {
    List<String> lines =
        List.of(
            "# Written by Bitloom at every start of this server.",
            "port 0",
            "unixsocket " + quoted(socket),
            "unixsocketperm 700",
            "daemonize yes",
            "dir " + quoted(directory),
            "logfile redis.log",
            "appendonly yes",
            "appendfsync always",
            // Rewriting takes half the machine for seconds, so it is left until it is worth it.
            "auto-aof-rewrite-min-size 512mb",
            "save \"\"",
            "maxmemory-policy noeviction");
    WholeFile.write(configuration, String.join("\n", lines) + "\n");
  }

  private static String quoted(Path path) {
    return '"' + path.toString().replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  /** Takes the program of embedded-redis, or the machine's own if that one does not run here. */
  private void installProgram() throws IOException {
    if (Files.exists(program) && runs(program)) {
      return;
    }
    Path draft = Files.createTempDirectory(directory, "program");
    Path bundled = bundled(draft);
    if (!runs(bundled)) {
      Files.copy(
          ExecutableProvider.newExecutableInPath("redis-server").get().toPath(),
          bundled,
          StandardCopyOption.REPLACE_EXISTING,
          StandardCopyOption.COPY_ATTRIBUTES);
      if (!runs(bundled)) {
        throw new IOException("neither the bundled redis-server nor the one on PATH runs here");
      }
    }
    Files.move(bundled, program, StandardCopyOption.REPLACE_EXISTING);
    Files.deleteIfExists(draft);
  }

  /**
   * Unpacks the program of embedded-redis. That asks the program {@code uname} which processor this
   * is, and there is none in our images; on Linux, Java knows it as well.
   */
  private static Path bundled(Path folder) throws IOException {
    Map<OsArchitecture, String> names = ExecutableProvider.newProvidedVersionsMap();
    if (!System.getProperty("os.name").equals("Linux")
        || !System.getProperty("os.arch").equals("amd64")) {
      return ExecutableProvider.newJarResourceProvider(folder.toFile()).get().toPath();
    }
    Path file = folder.resolve("redis-server");
    String name = names.get(OsArchitecture.UNIX_x86_64);
    try (InputStream packed = ExecutableProvider.class.getResourceAsStream(name)) {
      if (packed == null) {
        throw new IOException("embedded-redis has no " + name);
      }
      Files.copy(packed, file);
    }
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    return file;
  }

  private static boolean runs(Path program) throws IOException {
    try {
      Process process =
          new ProcessBuilder(program.toString(), "--version")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while " + program + " was tried", e);
    } catch (IOException e) {
      return false;
    }
  }

  /** Call when the server has ended. */
  void forgetSocket() throws IOException {
    Files.deleteIfExists(socket);
    if (!socket.startsWith(directory)) {
      Files.deleteIfExists(socket.getParent());
    }
  }

  /** The end of what the server wrote, for error messages. */
  String lastWords() throws IOException {
    StringBuilder words = new StringBuilder();
    for (String file : List.of("redis.out", "redis.log")) {
      if (Files.exists(directory.resolve(file))) {
        List<String> lines = Files.readAllLines(directory.resolve(file));
        lines
            .subList(Math.max(0, lines.size() - 5), lines.size())
            .forEach(line -> words.append(line.strip()).append("; "));
      }
    }
    return words.toString();
  }
}
