package io.bitloom.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What to do when an alert fires. */
class RunbooksTest {

  /** The paths of methods. */
  private static final String RULES = "proto/src/main/proto/bitloom/v1/batch_service.yaml";

  private static final String PAGE = "docs/reference/runbooks.md";

  /** What every runbook answers, in this order. */
  private static final List<String> QUESTIONS =
      List.of(
          "**What it means.**",
          "**What users notice.**",
          "**Look.**",
          "**Do.**",
          "**Safe to ignore**");

  /** Programs of the system that an operator has. */
  private static final Set<String> SYSTEM =
      Set.of(
          "curl",
          "df",
          "free",
          "grep",
          "journalctl",
          "nvidia-smi",
          "redis-cli",
          "systemctl",
          "tail");

  private static final Pattern IN_A_SENTENCE = Pattern.compile("`(\\./bitloom [^`]+)`");
  private static final Pattern METRIC = Pattern.compile("\\bbitloom_[a-z_]+\\b");

  @Test
  void everyAlertHasARunbookThatAnswersTheSameQuestions() throws Exception {
    Map<String, String> runbooks = runbooks();
    List<String> alerts = AlertRules.all().stream().map(AlertRules.Rule::alert).toList();

    assertEquals(alerts, List.copyOf(runbooks.keySet()));
    for (AlertRules.Rule rule : AlertRules.all()) {
      String anchor = rule.alert().toLowerCase(Locale.ROOT);
      assertEquals(PAGE + "#" + anchor, rule.annotations().get("runbook_url"));
      int at = 0;
      for (String question : QUESTIONS) {
        int next = runbooks.get(rule.alert()).indexOf(question);
        assertTrue(next >= at, rule.alert() + " does not answer " + question);
        at = next;
      }
    }
  }

  @Test
  void everyCommandInARunbookExists() throws Exception {
    String options = Files.readString(Installed.HOME.resolve("docs/reference/options.md"));
    for (String command : commands()) {
      List<String> words = Arrays.asList(command.trim().split("\\s+"));
      if (words.get(0).equals("./bitloom")) {
        String heading = "## `" + words.get(1);
        int at = options.indexOf(heading);
        assertTrue(at >= 0, command);
        String section = options.substring(at, (options + "\n## ").indexOf("\n## ", at + 1));
        words.stream()
            .filter(word -> word.startsWith("--"))
            .map(word -> word.split("=")[0])
            .forEach(option -> assertTrue(section.contains("`" + option), command));
      } else {
        assertTrue(SYSTEM.contains(words.get(0)), command);
      }
    }
  }

  @Test
  void everyPageAndMetricInARunbookExists() throws Exception {
    String page = Files.readString(Installed.HOME.resolve(PAGE));
    String metrics = Files.readString(Installed.HOME.resolve("docs/reference/metrics.md"));
    METRIC
        .matcher(page)
        .results()
        .map(found -> found.group().replaceAll("_(bucket|count|sum)$", ""))
        .forEach(name -> assertTrue(metrics.contains("`" + name + "`"), name));
    String doors =
        Files.readString(Installed.HOME.resolve("docs/reference/api.md"))
            + Files.readString(Installed.HOME.resolve(RULES));
    for (String command : commands()) {
      Arrays.stream(command.split("\\s+"))
          .filter(word -> word.startsWith("http://"))
          .map(url -> url.replaceFirst("http://[^/]+", ""))
          .forEach(path -> assertTrue(doors.contains(path.replaceAll("\\?.*", "")), path));
    }
    Pattern.compile("\\]\\(([^)#]+)")
        .matcher(page)
        .results()
        .map(link -> link.group(1))
        .forEach(
            link -> {
              Path file = Installed.HOME.resolve(PAGE).getParent().resolve(link);
              assertTrue(Files.exists(file), link);
            });
  }

  /** All commands in sentences, and all lines of blocks, where behind a pipe begins another one. */
  private static List<String> commands() throws Exception {
    List<String> commands = new ArrayList<>();
    for (String runbook : runbooks().values()) {
      IN_A_SENTENCE.matcher(runbook).results().forEach(found -> commands.add(found.group(1)));
      String[] blocks = runbook.split("```bash\n");
      for (int i = 1; i < blocks.length; i++) {
        for (String line : blocks[i].substring(0, blocks[i].indexOf("```")).split("\n")) {
          String withoutComment = line.replaceAll("\\s+#.*", "");
          commands.addAll(Arrays.asList(withoutComment.split(" \\| ")));
        }
      }
    }
    assertFalse(commands.isEmpty());
    return commands;
  }

  private static Map<String, String> runbooks() throws Exception {
    String page = Files.readString(Installed.HOME.resolve(PAGE));
    Map<String, String> runbooks = new LinkedHashMap<>();
    for (String section : page.split("\n## ")) {
      String title = section.substring(0, section.indexOf('\n')).trim();
      if (title.matches("Bitloom[A-Za-z]+")) {
        runbooks.put(title, section);
      }
    }
    return runbooks;
  }
}
