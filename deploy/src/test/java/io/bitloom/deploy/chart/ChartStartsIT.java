package io.bitloom.deploy.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import io.bitloom.coordinator.CoordinatorProcess;
import io.bitloom.coordinator.redis.RedisServers;
import io.bitloom.deploy.ProgramContainer;
import io.bitloom.deploy.Programs;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Both programs, started with what the chart gives them, answer what the chart asks them. */
class ChartStartsIT {

  private static final Pattern HEALTH = Pattern.compile("Health and metrics at http://.*:(\\d+)");

  @Test
  void coordinatorAndWorkerAnswerTheirProbesAndRedisIsAsItMustBe(@TempDir Path folder)
      throws Exception {
    Manifests manifests = Chart.rendered(Chart.combinations().get("minimal"));
    Files.writeString(
        folder.resolve("coordinator.yaml"),
        only(manifests, "bitloom-coordinator")
            .files()
            .get("/etc/bitloom/config/coordinator.yaml")
            .replace("\"/data\"", "\"" + folder.resolve("data") + "\""));
    try (RedisServers servers = new RedisServers(folder)) {
      int redis = RedisServers.freePort();
      servers.start(redis, List.of(), redisArguments(manifests, folder));
      List<String> options = new ArrayList<>(CoordinatorProcess.usualOptions(folder));
      options.add("--config=" + folder.resolve("coordinator.yaml"));
      options.add("--redis=redis://127.0.0.1:" + redis);
      try (CoordinatorProcess coordinator =
          CoordinatorProcess.launch(folder, List.of("-Xmx256m"), options)) {
        JsonObject ports = coordinator.ports();
        checkPaths(ports.get("http").getAsInt());
        checkWorker(manifests, ports.get("grpc").getAsInt());
        assertEquals(List.of(), warningsOfRedis(coordinator.output()));
      }
    }
  }

  private static String[] redisArguments(Manifests manifests, Path folder) {
    return manifests.pods("pictures-bitloom-redis").containers().get(0).getArgs().stream()
        .map(argument -> argument.equals("/data") ? folder.toString() : argument)
        .toArray(String[]::new);
  }

  private static List<String> warningsOfRedis(String log) {
    return log.lines()
        .filter(line -> line.matches(".* (WARN|ERROR) .*"))
        .filter(line -> line.toLowerCase(Locale.ROOT).contains("redis"))
        .toList();
  }

  private static ProgramContainer only(Manifests manifests, String image) {
    return ChartProgramsTest.containers(manifests).stream()
        .filter(container -> container.image().equals(image))
        .findFirst()
        .orElseThrow();
  }

  private static void checkWorker(Manifests manifests, int coordinator)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(CoordinatorProcess.flagsOfThisJvm());
    command.add("-Dorg.bytedeco.javacpp.maxPhysicalBytes=0");
    command.add("-cp");
    command.add(
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    command.add(io.bitloom.worker.Main.class.getName());
    command.add("worker");
    command.addAll(only(manifests, "bitloom-worker").arguments());
    // The chart's own, at addresses of this machine.
    command.replaceAll(
        word -> word.replaceFirst("^(--coordinator=).*", "$1localhost:" + coordinator));
    command.replaceAll(word -> word.replaceFirst("^(--http-port=).*", "$10"));
    Process worker = new ProcessBuilder(command).redirectErrorStream(true).start();
    try (BufferedReader log = worker.inputReader()) {
      StringBuilder said = new StringBuilder();
      int port = 0;
      for (String line = log.readLine(); port == 0 && line != null; line = log.readLine()) {
        said.append(line).append('\n');
        Matcher health = HEALTH.matcher(line);
        port = health.find() ? Integer.parseInt(health.group(1)) : 0;
        if (port != 0) {
          break;
        }
      }
      assertTrue(port != 0, said::toString);
      checkPaths(port);
    } finally {
      worker.destroy();
      if (!worker.waitFor(1, TimeUnit.MINUTES)) {
        worker.destroyForcibly();
      }
    }
  }

  private static void checkPaths(int port) throws IOException, InterruptedException {
    assertFalse(Programs.PATHS.isEmpty());
    for (String path : Programs.PATHS) {
      int status = status(port, path);
      // A worker is ready when a coordinator has it, which may be a moment later.
      assertTrue(status == 200 || (status == 503 && path.endsWith("/ready")), path + " " + status);
    }
    assertEquals(404, status(port, "/healthz"));
  }

  private static int status(int port, String path) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build();
    return HttpClient.newHttpClient().send(request, BodyHandlers.discarding()).statusCode();
  }
}
