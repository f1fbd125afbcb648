package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.v1.Job;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExamplesIT {

  private static final Path EXAMPLES = BitloomProcess.HOME.resolve("client/examples");
  private static final Set<String> IMAGES =
      Set.of("dunes.png", "lighthouse.jpg", "red-fox.png", "teapot_0.png", "teapot_1.png");

  private static final int PROMPTS = 300;

  @TempDir Path folder;

  @Test
  void theNodeScriptSubmitsAJobAndFetchesItsImages() throws Exception {
    Path node = EXAMPLES.resolve("node");
    require("npm", "--version");
    if (!Files.exists(node.resolve("node_modules"))) {
      require("npm", "ci", "--prefix", node.toString(), "--no-audit", "--no-fund");
    }

    submits("node", List.of("node", node.resolve("submit.js").toString()));
  }

  @Test
  void theNodeScriptCancelsTheJobThatItWatches() throws Exception {
    Path node = EXAMPLES.resolve("node");
    require("npm", "--version");
    if (!Files.exists(node.resolve("node_modules"))) {
      require("npm", "ci", "--prefix", node.toString(), "--no-audit", "--no-fund");
    }
    watches("node", List.of("node", node.resolve("watch.js").toString()));
  }

  @Test
  void thePythonScriptSubmitsAJobAndFetchesItsImages() throws Exception {
    String script = EXAMPLES.resolve("python/submit.py").toString();
    require("/usr/bin/python3", "-c", "import grpc");
    require("sh", "-c", "command -v grpc_python_plugin");

    submits("python", List.of("/usr/bin/python3", script));
  }

  @Test
  void thePythonScriptCancelsTheJobThatItWatches() throws Exception {
    require("/usr/bin/python3", "-c", "import grpc");
    require("sh", "-c", "command -v grpc_python_plugin");
    watches("python", List.of("/usr/bin/python3", EXAMPLES.resolve("python/watch.py").toString()));
  }

  /** Ctrl-C after the first prompts: the job ends, and every prompt has been named once. */
  private void watches(String name, List<String> command) throws Exception {
    try (TestCluster cluster = TestCluster.start(folder)) {
      Job job = cluster.submit(PROMPTS);
      List<String> arguments = List.of(job.getName(), cluster.address());
      List<String> all = Stream.concat(command.stream(), arguments.stream()).toList();
      BitloomProcess script = BitloomProcess.startProgram(folder, name, all);
      cluster.await("a prompt", () -> script.said().contains(": 1 images"));
      script.signal("INT");

      assertEquals(3, script.exitCode(), script::said);
      assertTrue(script.out().contains("JOB_STATE_CANCELLED"), script::said);
      List<String> named =
          script.out().lines().filter(line -> line.startsWith("id-")).sorted().toList();
      assertEquals(PROMPTS, named.size());
      assertEquals(PROMPTS, named.stream().map(line -> line.split(":")[0]).distinct().count());
      assertTrue(named.stream().anyMatch(line -> line.endsWith(": CANCELLED")), script::said);
    }
  }

  private void submits(String name, List<String> command) throws Exception {
    try (TestCluster cluster = TestCluster.start(folder)) {
      String prompts = EXAMPLES.resolve("prompts.jsonl").toString();
      List<String> arguments = List.of(prompts, "images", cluster.address());
      List<String> all = Stream.concat(command.stream(), arguments.stream()).toList();

      BitloomProcess script = BitloomProcess.startProgram(folder, name, all);

      assertEquals(0, script.exitCode(), script::said);
      assertTrue(script.out().contains("5 images, JOB_STATE_SUCCEEDED"), script::said);
      assertEquals(IMAGES, files(folder.resolve("images")));
    }
  }

  private static Set<String> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      Set<String> names = new TreeSet<>();
      files.forEach(file -> names.add(file.getFileName().toString()));
      return names;
    }
  }

  /** Skips the test, with a line that says why, unless a command works here. */
  private void require(String... command) throws InterruptedException {
    String problem = "";
    try {
      BitloomProcess tried = BitloomProcess.startProgram(folder, "require", List.of(command));
      if (tried.exitCode() != 0) {
        problem = tried.said();
      }
    } catch (IOException e) {
      problem = e.getMessage();
    }
    if (!problem.isEmpty()) {
      String skipped = "SKIPPED: '" + String.join(" ", command) + "' does not work: " + problem;
      System.out.println(skipped);
      Assumptions.abort(skipped);
    }
  }
}
