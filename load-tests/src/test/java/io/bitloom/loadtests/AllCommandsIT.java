package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What knows the commands and needs of all programs: completion, manual pages and the doctor. */
class AllCommandsIT {

  @TempDir Path folder;

  @Test
  void bashCompletesCommandsAndOptionsOfEveryProgram() throws Exception {
    BitloomProcess script = BitloomProcess.run(folder, "completion", "completion", "bash");
    assertEquals(0, script.exitCode(), script::said);
    Files.writeString(
        folder.resolve("complete.sh"),
        """
        source completion.out
        complete_words() {
          COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
          _complete_bitloom
          echo "${COMPREPLY[*]}"
        }
        complete_words bitloom ""
        complete_words bitloom submit --asp
        complete_words bitloom coordinator --share
        complete_words bitloom worker --shutdown
        complete_words bitloom model im
        complete_words bitloom bench qu
        """);

    BitloomProcess bash =
        BitloomProcess.startProgram(folder, "bash", List.of("bash", "complete.sh"));

    assertEquals(0, bash.exitCode(), bash::said);
    List<String> lines = bash.out().lines().toList();
    Set<String> commands = new HashSet<>(List.of(lines.get(0).split(" ")));
    assertTrue(
        commands.containsAll(Set.of("submit", "doctor", "coordinator", "worker", "eval", "bench")),
        bash::said);
    assertEquals(
        List.of("--aspect-ratio", "--share-data", "--shutdown-grace", "import", "queue"),
        lines.subList(1, 6).stream().map(String::strip).toList());
  }

  @Test
  void thereIsAManualPageForEveryCommand() throws Exception {
    BitloomProcess man = BitloomProcess.run(folder, "man", "man", "pages");
    assertEquals(0, man.exitCode(), man::said);
    Set<String> pages;
    try (var files = Files.list(folder.resolve("pages/man1"))) {
      pages = files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
    }
    assertTrue(
        pages.containsAll(
            Set.of(
                "bitloom.1",
                "bitloom-submit.1",
                "bitloom-coordinator.1",
                "bitloom-worker.1",
                "bitloom-model-import.1",
                "bitloom-bench-queue.1")),
        pages.toString());
    String worker = Files.readString(folder.resolve("pages/man1/bitloom-worker.1"));
    assertTrue(worker.contains("\\-\\-shutdown\\-grace TIME"), worker);
  }

  @Test
  void theDoctorLooksAtAllThatIsNeeded() throws Exception {
    BitloomProcess doctor =
        BitloomProcess.run(folder, "doctor", "doctor", "--json", "--grpc-port=0", "--http-port=0");

    List<JsonObject> findings =
        doctor.out().lines().map(line -> JsonParser.parseString(line).getAsJsonObject()).toList();
    Set<String> names =
        findings.stream().map(f -> f.get("name").getAsString()).collect(Collectors.toSet());
    assertTrue(
        names.containsAll(Set.of("java", "memory", "data", "redis", "gpu", "native libraries")),
        doctor::said);
    boolean failed =
        findings.stream().anyMatch(finding -> finding.get("status").getAsString().equals("fail"));
    assertEquals(failed ? 1 : 0, doctor.exitCode(), doctor::said);
    for (JsonObject finding : findings) {
      String name = finding.get("name").getAsString();
      if (Set.of("redis", "native libraries", "threads").contains(name)) {
        assertEquals("ok", finding.get("status").getAsString(), finding::toString);
      }
    }
    assertEquals("", doctor.err());
  }
}
