package io.bitloom.loadtests.chaos;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import io.bitloom.common.results.ImageName;
import io.bitloom.coordinator.results.TestS3;
import io.bitloom.loadtests.process.CoordinatorProcess;
import io.bitloom.loadtests.process.Distribution;
import io.bitloom.loadtests.process.FakeWorkerProcess;
import io.bitloom.v1.InputPhase;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobInput;
import io.bitloom.v1.JobState;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.Writer;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.zip.GZIPOutputStream;

/**
 * A job of an object, with everything in processes of its own but the S3 server. The coordinator
 * that reads is killed while it checks, the one that follows it while it appends, and the first
 * again in the middle of drawing.
 */
final class ObjectsRun {

  private static final List<String> RATIOS = List.of("1:1", "3:2", "2:3", "16:9", "9:16", "4:3");
  private static final int SAMPLE = 500;
  private static final long LOOK_MILLIS = 100;

  private final int prompts;
  private final int workers;
  private final PrintWriter out;
  private final List<CoordinatorProcess> coordinators = new ArrayList<>();
  private final List<Integer> ports = new ArrayList<>();
  private final List<FakeWorkerProcess> drawing = new ArrayList<>();
  private Path folder;
  private TestS3 s3;

  ObjectsRun(int prompts, int workers, PrintWriter out) {
    this.prompts = prompts;
    this.workers = workers;
    this.out = out;
  }

  /**
   * Runs it.
   *
   * @param place for data, objects and logs
   * @throws AssertionError if anything is not there, or is there twice
   */
  void run(Path place) throws Exception {
    folder = place;
    s3 = TestS3.start(Files.createDirectories(folder.resolve("objects")));
    try {
      s3.put("in/prompts.jsonl.gz", prompts());
      for (int i = 0; i < 2; i++) {
        ports.add(freePort());
        coordinators.add(startCoordinator(i));
        coordinators.get(i).awaitReady();
      }
      try (PatientClient client = new PatientClient(targets(), "")) {
        startWorkers();
        client.awaitModel();
        check(draw(client));
      }
    } finally {
      close();
    }
  }

  private Path prompts() throws IOException {
    Path file = folder.resolve("prompts.jsonl.gz");
    try (Writer lines =
        new OutputStreamWriter(
            new GZIPOutputStream(Files.newOutputStream(file), 1 << 16), StandardCharsets.UTF_8)) {
      for (int i = 0; i < prompts; i++) {
        lines.write(
            String.format(
                Locale.ROOT,
                "{\"custom_id\": \"picture-%d\", \"prompt\": \"a red fox in snow, number %d\","
                    + " \"size\": \"0.06M\", \"aspect_ratio\": \"%s\"}\n",
                i,
                i,
                RATIOS.get(i % RATIOS.size())));
      }
    }
    return file;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  private CoordinatorProcess startCoordinator(int i) throws IOException {
    return CoordinatorProcess.start(
        Distribution.here(),
        folder,
        "coordinator-" + i,
        ports.get(i),
        List.of(
            "--results=s3://" + TestS3.BUCKET + "/out",
            "--input=s3://" + TestS3.BUCKET + "/in",
            "--s3-endpoint=" + s3.endpoint(),
            "--s3-path-style",
            "--lease-duration=10s",
            "--heartbeat-interval=2s",
            "--max-attempts=20"),
        s3.environment());
  }

  private List<String> targets() {
    return ports.stream().map(port -> "127.0.0.1:" + port).toList();
  }

  private void startWorkers() throws IOException {
    for (int i = 0; i < workers; i++) {
      List<String> targets = new ArrayList<>(targets());
      Collections.rotate(targets, i);
      drawing.add(
          FakeWorkerProcess.start(
              folder,
              "worker-" + i,
              List.of(
                  "--coordinator=" + String.join(",", targets),
                  "--max-batch=16",
                  "--batch-time=1ms")));
    }
  }

  /** The other one is there to go on. */
  private void kill(int i) throws Exception {
    coordinators.get(1 - i).awaitReady();
    coordinators.get(i).kill();
    coordinators.set(i, startCoordinator(i));
  }

  private Job draw(PatientClient client) throws Exception {
    JobInput input =
        JobInput.newBuilder().setUri("s3://" + TestS3.BUCKET + "/in/prompts.jsonl.gz").build();
    long start = System.nanoTime();
    String name = client.create(Job.newBuilder().setInput(input).build(), "objects").getName();

    await(client, name, job -> job.getInputProgress().getPrompts() > prompts / 4);
    out.println("killing the coordinator that checks");
    kill(0);
    await(
        client, name, job -> job.getInputProgress().getPhase() == InputPhase.INPUT_PHASE_APPENDING);
    say("checked, with a kill", start);
    await(client, name, job -> job.getCounts().getAppended() > prompts / 3);
    out.println("killing the coordinator that appends");
    kill(1);
    await(client, name, Job::hasSealTime);
    say("appended, with a kill", start);
    await(client, name, job -> job.getCounts().getSucceeded() > prompts / 2);
    out.println("killing a coordinator in the middle of drawing");
    kill(0);
    await(client, name, job -> job.getState() == JobState.JOB_STATE_SUCCEEDED);
    say("drawn, with a kill", start);
    Job done = await(client, name, Job::hasOutput);
    say("written to the manifest", start);
    return done;
  }

  private void say(String what, long start) {
    double seconds = (System.nanoTime() - start) / 1e9;
    out.printf(
        Locale.ROOT,
        "%,d prompts are %s after %.1f s (%,.0f/s from the start)%n",
        prompts,
        what,
        seconds,
        prompts / seconds);
    out.flush();
  }

  private Job await(PatientClient client, String name, Predicate<Job> condition)
      throws InterruptedException {
    while (true) {
      Job job = client.job(name);
      if (condition.test(job)) {
        return job;
      }
      if (job.hasEndTime() && job.getState() != JobState.JOB_STATE_SUCCEEDED) {
        throw new AssertionError("the job ended: " + job);
      }
      Thread.sleep(LOOK_MILLIS);
    }
  }

  private void check(Job job) throws IOException {
    require(job.getCounts().getAppended() == prompts, "prompts: " + job.getCounts());
    require(job.getCounts().getSucceeded() == prompts, "successes: " + job.getCounts());
    String prefix = "s3://" + TestS3.BUCKET + "/";
    String manifest = job.getOutput().getManifestUri().substring(prefix.length());
    String images = manifest.substring(0, manifest.lastIndexOf('/') + 1);
    BitSet offsets = new BitSet(prompts);
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(s3.open(manifest), StandardCharsets.UTF_8))) {
      for (String text = lines.readLine(); text != null; text = lines.readLine()) {
        JsonObject line = JsonParser.parseString(text).getAsJsonObject();
        int offset = line.get("offset").getAsInt();
        require(!offsets.get(offset), "prompt " + offset + " is in the manifest twice");
        require(
            line.get("custom_id").getAsString().equals("picture-" + offset),
            "prompt " + offset + " is " + line);
        offsets.set(offset);
        if (offset % Math.max(1, prompts / SAMPLE) == 0) {
          ByteString image = ByteString.copyFrom(s3.get(images + line.get("file").getAsString()));
          String digest = HexFormat.of().formatHex(ImageName.sha256(image).toByteArray());
          require(digest.equals(line.get("sha256").getAsString()), "image of prompt " + offset);
        }
      }
    }
    require(offsets.cardinality() == prompts, offsets.cardinality() + " prompts in the manifest");
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  private void close() throws Exception {
    drawing.forEach(FakeWorkerProcess::kill);
    for (CoordinatorProcess coordinator : coordinators) {
      coordinator.close();
    }
    s3.close();
  }
}
