package io.bitloom.deploy;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** The Prometheus of this machine, in a folder of its own. */
final class Prometheus implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** One line of a graph. Times in seconds since 1970. */
  record Series(Map<String, String> labels, List<double[]> points) {

    boolean hasNumbers() {
      return points.stream().anyMatch(point -> Double.isFinite(point[1]));
    }
  }

  private final HttpClient http = HttpClient.newHttpClient();
  private final Process process;
  private final Path log;
  private final String address;

  private Prometheus(Process process, Path log, String address) {
    this.process = process;
    this.log = log;
    this.address = address;
  }

  /**
   * Starts it, and waits until it answers.
   *
   * @param targets of coordinators and of workers, by the name of their job
   * @param token shown to all of them
   */
  static Prometheus start(
      Path folder, Duration interval, Map<String, List<String>> targets, String token)
      throws IOException, InterruptedException {
    String jobs =
        targets.entrySet().stream()
            .map(
                job ->
                    String.format(
                        Locale.ROOT,
                        """
                      - job_name: %s
                        authorization: {credentials: %s}
                        static_configs: [{targets: %s}]
                    """,
                        job.getKey(),
                        token,
                        job.getValue()))
            .collect(Collectors.joining());
    Path config = folder.resolve("prometheus.yaml");
    Files.writeString(
        config,
        String.format(
                Locale.ROOT,
                """
        global: {scrape_interval: %dms, scrape_timeout: %dms, evaluation_interval: 1s}
        rule_files: [%s]
        scrape_configs:
        """,
                interval.toMillis(),
                interval.toMillis(),
                AlertRules.FILE)
            + jobs);
    String address;
    try (ServerSocket socket = new ServerSocket(0)) {
      address = "127.0.0.1:" + socket.getLocalPort();
    }
    Path log = folder.resolve("prometheus.log");
    Process process =
        new ProcessBuilder(
                "prometheus",
                "--config.file=" + config,
                "--storage.tsdb.path=" + folder.resolve("prometheus"),
                "--web.listen-address=" + address)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    Prometheus prometheus = new Prometheus(process, log, address);
    prometheus.awaitReady();
    return prometheus;
  }

  private void awaitReady() throws IOException, InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        if (get("/-/ready").statusCode() == 200) {
          return;
        }
      } catch (IOException e) {
        if (!process.isAlive() || System.nanoTime() > end) {
          close();
          throw new IOException("Prometheus does not start: " + Files.readString(log), e);
        }
      }
      Thread.sleep(20);
    }
  }

  /** What a query gives over a time, with a point every second. */
  List<Series> range(String query, Instant from, Instant to) throws IOException {
    JsonObject data =
        api(
            String.format(
                Locale.ROOT,
                "query_range?query=%s&start=%s&end=%s&step=1",
                encoded(query),
                from.getEpochSecond(),
                to.getEpochSecond()));
    return series(data.getAsJsonArray("result"), "values");
  }

  /** What a query gives now. */
  List<Series> now(String query) throws IOException {
    return series(api("query?query=" + encoded(query)).getAsJsonArray("result"), "value");
  }

  /** All rules with their health and their alerts. */
  JsonObject rules() throws IOException {
    return api("rules");
  }

  private static List<Series> series(JsonArray result, String points) {
    List<Series> all = new ArrayList<>();
    for (JsonElement element : result) {
      JsonObject series = element.getAsJsonObject();
      Map<String, String> labels = new TreeMap<>();
      series
          .getAsJsonObject("metric")
          .entrySet()
          .forEach(label -> labels.put(label.getKey(), label.getValue().getAsString()));
      JsonArray values = series.getAsJsonArray(points);
      List<double[]> list = new ArrayList<>();
      if (points.equals("value")) {
        list.add(point(values));
      } else {
        values.forEach(value -> list.add(point(value.getAsJsonArray())));
      }
      all.add(new Series(labels, list));
    }
    return all;
  }

  private static double[] point(JsonArray value) {
    String number = value.get(1).getAsString().replace("Inf", "Infinity");
    return new double[] {value.get(0).getAsDouble(), Double.parseDouble(number)};
  }

  private JsonObject api(String call) throws IOException {
    try {
      HttpResponse<String> response = get("/api/v1/" + call);
      JsonObject json = JsonParser.parseString(response.body()).getAsJsonObject();
      if (!json.get("status").getAsString().equals("success")) {
        throw new IOException(call + ": " + response.body());
      }
      return json.getAsJsonObject("data");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(URI.create("http://" + address + path)).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private static String encoded(String query) {
    return URLEncoder.encode(query, StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
