package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonParser;
import io.bitloom.client.cli.Bitloom;
import io.bitloom.common.model.VersionName;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeBehaviour.Troubles;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.Job;
import io.bitloom.worker.Main;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What commands print with {@code --json}, and the HTTP port answers, is what the docs say. */
class EventsIT {

  private static final Pattern JOB = Pattern.compile("\"job\":\"(jobs/[^\"]+)\"");

  @TempDir Path folder;

  private final EventSchema schema = new EventSchema();
  private final HttpClient http = HttpClient.newHttpClient();

  /** The command says that it cannot do it. */
  private static final int REFUSED = -1;

  /** Runs a command that must end with this code and checks all that it prints. */
  private String run(CommandLine commandLine, int exit, String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    commandLine.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    String command = String.join(" ", arguments);
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add("--json");
    int code = commandLine.execute(all.toArray(String[]::new));
    assertTrue(exit == REFUSED ? code != 0 : code == exit, () -> command + " " + code + out + err);
    assertFalse(out.toString().isEmpty(), () -> command + " prints nothing\n" + err);
    schema.checkEvents(command, out.toString());
    return out.toString();
  }

  private Path file(String... lines) throws Exception {
    return Files.write(folder.resolve("prompts.jsonl"), List.of(lines));
  }

  private static String jobIn(String events) {
    return JOB.matcher(events).results().reduce((first, last) -> last).orElseThrow().group(1);
  }

  @Test
  void whatTheClientPrintsAndTheHttpPortAnswersIsDocumented() throws Exception {
    try (TestCoordinator coordinator =
        TestCoordinator.start(
            folder.resolve("data"), "embedded", "events", TestCoordinator.QUICK_LEASES)) {
      coordinator.worker("willing", FakeBehaviour.DEFAULT);
      coordinator.worker(
          "grim", FakeBehaviour.DEFAULT.withModel("grim", "0.06M").with(new Troubles(0, 1, 0, 1)));
      Client client = new Client(coordinator.target());
      String job = drawn(client);
      jobThatIsStopped(client, coordinator);
      refused(client);
      for (String document : List.of("/api/v1/" + job, "/api/v1/jobs", "/api/v1/cluster")) {
        assertEquals(200, get(coordinator, document).statusCode(), document);
      }
      schema.check("http_error", get(coordinator, "/api/v1/jobs?state=done").body());
      schema.check("job_fields", get(coordinator, "/api/v1/" + job).body());
      each(coordinator, "/api/v1/jobs", "jobs", "job_fields");
      each(coordinator, "/api/v1/" + job + "/prompts", "prompts", "prompt_status");
      each(coordinator, "/api/v1/cluster", "workers", "worker_status");
      each(coordinator, "/api/v1/cluster", "buckets", "bucket_status");
      client.run(0, "delete", job);
      models(client);
    }
    Set<String> missing = new TreeSet<>(Set.of("note", "bad_line", "checked", "estimate"));
    missing.addAll(Set.of("submitted", "progress", "result", "job", "failure", "prompt"));
    missing.addAll(Set.of("deleted", "exported", "worker", "bucket", "error"));
    missing.addAll(
        Set.of("pushed", "pulled", "model_version", "pool_models", "labels", "version_deleted"));
    missing.removeAll(schema.seen());
    assertEquals(Set.of(), missing, "no command printed these");
  }

  /** The client's commands against one coordinator. */
  private final class Client {

    private final String coordinator;

    private Client(String target) {
      coordinator = "--coordinator=" + target;
    }

    private String run(int exit, String... arguments) {
      List<String> all = new ArrayList<>(List.of(arguments));
      all.add(coordinator);
      return EventsIT.this.run(Bitloom.commandLine(), exit, all.toArray(String[]::new));
    }
  }

  /** A job from its file to its images. */
  private String drawn(Client client) throws Exception {
    String file =
        file(
                "{\"custom_id\": \"a\", \"prompt\": \"a\\u0007fox\", \"size\": \"0.06M\"}",
                "{\"prompt\": \"b\", \"seed\": 9223372036854775807, \"size\": \"0.06M\"}")
            .toString();
    String out = folder.resolve("out").toString();
    client.run(0, "submit", file, "--model=fake", "--dry-run");
    String submitted =
        client.run(
            0, "submit", file, "--model=fake", "--out=" + out, "--label=a=b", "--preset=fast");
    String job = jobIn(submitted);
    for (String command : List.of("status", "watch", "prompts")) {
      client.run(0, command, job);
    }
    client.run(0, "results", job, "--out=" + out);
    client.run(0, "update", job, "--name=foxes", "--label=a=");
    assertTrue(client.run(0, "list", "--state=succeeded").contains("\"display_name\":\"foxes\""));
    client.run(0, "prompts", job, "--filter=custom_id = a*", "--state=SUCCEEDED");
    client.run(0, "export", job, "--out=" + folder.resolve("export.jsonl"));
    client.run(0, "top", "--all");
    client.run(0, "ask", "a fox", "--model=fake", "--size=0.06M", "--out=" + out);
    for (String line : Files.readAllLines(folder.resolve("out/manifest.jsonl"))) {
      schema.check("manifest_line", line);
    }
    client.run(REFUSED, "list", "--state=nope");
    client.run(REFUSED, "status", "nowhere");
    return job;
  }

  /** A model's way into the cluster, out of it and to its end. */
  private void models(Client client) throws Exception {
    Path demo = ModelDirectory.builtIn(ModelDirectory.DEMO).orElseThrow();
    Path pulled = folder.resolve("pulled");
    client.run(0, "model", "push", demo.toString(), "--label=latest");
    client.run(0, "model", "pull", "demo", "--out=" + pulled);
    ModelDirectory.open(pulled.toString()).readFiles();
    client.run(0, "model", "pull", "demo", "--out=" + pulled);
    client.run(0, "model", "label", "demo", "stable");
    client.run(0, "model", "load", "demo", "--pool=gpu");
    String listed = client.run(0, "model", "list");
    client.run(0, "model", "unload", "demo", "--pool=gpu");
    assertTrue(listed.contains("\"labels\":[\"latest\",\"stable\"]"), listed);
    client.run(REFUSED, "model", "pull", "demo@nightly", "--out=" + pulled);
    client.run(REFUSED, "model", "push", folder.toString());
    client.run(0, "model", "delete", VersionName.of("demo", ModelDirectory.open("demo").digest()));
  }

  private void jobThatIsStopped(Client client, TestCoordinator coordinator) throws Exception {
    Job job = coordinator.batch().createJob(newJob()).getJob();
    coordinator.append(job.getName(), 0, TestCoordinator.prompts(3));
    client.run(0, "pause", job.getName());
    client.run(0, "prioritize", job.getName(), "7");
    client.run(0, "prompts", job.getName());
    client.run(0, "resume", job.getName());
    client.run(0, "cancel", job.getName());
    client.run(REFUSED, "submit", file("{\"prompt\": 1}").toString(), "--model=fake");
    String left =
        client.run(
            0, "submit", file("{\"prompt\": \"a\"}").toString(), "--model=fake", "--no-wait");
    assertFalse(left.contains("interrupted"), left);
  }

  private static CreateJobRequest newJob() {
    return CreateJobRequest.newBuilder().setJob(Job.newBuilder().setModel("fake")).build();
  }

  private void refused(Client client) throws Exception {
    String file = file("{\"prompt\": \"a\", \"size\": \"0.06M\"}").toString();
    String out = folder.resolve("refused").toString();
    String job = jobIn(client.run(1, "submit", file, "--model=grim", "--out=" + out));
    client.run(0, "failures", job);
    client.run(0, "prompts", job, "--state=failed");
    client.run(0, "replay", job);
    schema.check("manifest_line", Files.readString(folder.resolve("refused/manifest.jsonl")));
  }

  private HttpResponse<String> get(TestCoordinator coordinator, String path) throws Exception {
    return http.send(
        HttpRequest.newBuilder(URI.create(coordinator.http(path))).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private void each(TestCoordinator coordinator, String path, String list, String definition)
      throws Exception {
    JsonArray items =
        JsonParser.parseString(get(coordinator, path).body())
            .getAsJsonObject()
            .getAsJsonArray(list);
    assertFalse(items.isEmpty(), path);
    items.forEach(item -> schema.check(definition, item.toString()));
  }

  @Test
  void whatTheWorkersCommandsPrintIsDocumented() throws Exception {
    String model = ModelDirectory.UNTRAINED;
    Path pictures = folder.resolve("pictures");
    worker(0, "generate", "a fox", "--model=" + model, "--size=0.06M", "--out=" + pictures);
    worker(
        0, "tokenizer", "reconstruct", pictures.toString(), "--model=" + model, "--out=" + folder);
    worker(
        0, "eval", "--model=" + model, "--limit=1", "--pictures=1", "--out=" + folder.resolve("e"));
    worker(0, "demo-data", "--count=1", "--out=" + folder.resolve("data"));
    worker(0, "quantizers", "--tokens=16", "--bits=4");
    String demo = Path.of(ModelDirectory.open(ModelDirectory.DEMO).source()).getParent().toString();
    worker(0, "model", "inspect", demo);
    worker(0, "model", "convert", demo, "--out=" + folder.resolve("converted"));
    worker(REFUSED, "model", "inspect", folder.resolve("prompts").toString());
    worker(REFUSED, "generate");
  }

  private void worker(int exit, String... arguments) {
    run(Main.commandLine(), exit, arguments);
  }

  @Test
  void thePageForPeopleNamesEveryEventAndNoOther() throws Exception {
    Set<String> named =
        EventSchema.page()
            .lines()
            .filter(line -> line.startsWith("| `"))
            .flatMap(
                line ->
                    Pattern.compile("`([a-z_]+)`")
                        .matcher(line.split("\\|")[1])
                        .results()
                        .map((MatchResult found) -> found.group(1)))
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(new EventSchema().events(), named);
  }
}
