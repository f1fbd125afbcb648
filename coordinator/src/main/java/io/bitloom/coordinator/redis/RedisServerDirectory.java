package io.bitloom.coordinator.redis;

import io.bitloom.common.file.WholeFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import redis.embedded.core.ExecutableProvider;

/**
 * The directory of a Redis server: its program, configuration, data and log. The program is copied
 * here so that the process of this very directory can be told from every other one, whatever became
 * of process and port numbers since.
 */
final class RedisServerDirectory {

  private static final String LOOPBACK = "127.0.0.1";
  private static final String PORT = "port ";

  /** File locks keep processes apart, this one the threads of this process. */
  private static final ReentrantLock IN_THIS_PROCESS = new ReentrantLock();

  private final Path directory;
  private final Path program;
  private final Path configuration;

  RedisServerDirectory(Path directory) throws IOException {
    Files.createDirectories(directory);
    this.directory = directory.toRealPath();
    this.program = this.directory.resolve("redis-server");
    this.configuration = this.directory.resolve("redis.conf");
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

  /** The port that the configuration names. */
  OptionalInt port() throws IOException {
    if (!Files.exists(configuration)) {
      return OptionalInt.empty();
    }
    try (Stream<String> lines = Files.lines(configuration)) {
      return lines
          .filter(line -> line.startsWith(PORT))
          .mapToInt(line -> Integer.parseInt(line.substring(PORT.length())))
          .findFirst();
    } catch (NumberFormatException | UncheckedIOException e) {
      throw new IOException(configuration + " does not name a port", e);
    }
  }

  /** Starts a server, on the port of the last one if that is free. */
  void launch() throws IOException {
    installProgram();
    OptionalInt last = port();
    writeConfiguration(last.isPresent() && free(last.getAsInt()) ? last.getAsInt() : freePort());
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

  private void writeConfiguration(int port) throws IOException {
    List<String> lines =
        List.of(
            "# Written by Bitloom at every start of this server.",
            PORT + port,
            "bind " + LOOPBACK,
            "protected-mode yes",
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
    Path bundled = ExecutableProvider.newJarResourceProvider(draft.toFile()).get().toPath();
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

  private static boolean free(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getByName(LOOPBACK))) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(LOOPBACK))) {
      return socket.getLocalPort();
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
