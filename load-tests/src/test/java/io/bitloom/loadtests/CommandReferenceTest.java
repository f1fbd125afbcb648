package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.prompt.PromptLine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The reference says what the commands take, all of it and nothing else. */
class CommandReferenceTest {
  private static final Path OPTIONS = BitloomProcess.HOME.resolve("docs/reference/options.md");
  private static final Path CLI = BitloomProcess.HOME.resolve("docs/reference/cli.md");

  /** Pages for users, in which every option has to be one that there is. */
  private static final List<String> PAGES =
      List.of(
          "README.md",
          "deploy/README.md",
          "load-tests/README.md",
          "load-tests/gpu/README.md",
          "docs/guide.md",
          "docs/explanation/picture.md",
          "docs/explanation/prompt.md",
          "docs/reference/api.md",
          "docs/reference/cli.md",
          "docs/reference/coordinator.md",
          "docs/reference/redis.md",
          "docs/reference/text.md",
          "docs/reference/training.md",
          "docs/training/demo-data.md",
          "docs/training/demo-model.md",
          "docs/training/eval.md",
          "docs/training/quantizers.md");

  private static final Pattern OPTION = Pattern.compile("(?<![\\w-])--[a-z][a-z0-9-]*");
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");
  private static final Pattern FIRST_CELL = Pattern.compile("^\\| (`.+?) \\|", Pattern.MULTILINE);

  /** Options that every command has, and those of Docker and of the build of images. */
  private static final Set<String> NOT_OURS =
      Set.of(
          "--help",
          "--version",
          "--entrypoint",
          "--force-recreate",
          "--no-deps",
          "--rm",
          "--base",
          "--image",
          "--packages");

  @Test
  void thePageOfAllOptionsIsWhatTheProgramsSay() throws IOException {
    if (Boolean.getBoolean("bitloom.write.docs")) {
      Files.writeString(OPTIONS, OptionsPage.text());
    }
    assertEquals(OptionsPage.text(), Files.readString(OPTIONS), "see the head of " + OPTIONS);
  }

  @Test
  void everyOptionThatAPageNamesExists() throws IOException {
    Set<String> known = new TreeSet<>(NOT_OURS);
    OptionsPage.commands().values().forEach(spec -> known.addAll(options(spec)));
    List<String> unknown = new ArrayList<>();
    for (String page : PAGES) {
      matches(OPTION, Files.readString(BitloomProcess.HOME.resolve(page)))
          .map(MatchResult::group)
          .filter(option -> !known.contains(option))
          .forEach(option -> unknown.add(page + ": " + option));
    }
    assertEquals(List.of(), unknown);
  }

  @Test
  void theTableOfASectionHasOptionsOfItsCommandOnly() throws IOException {
    List<String> wrong = new ArrayList<>();
    int checked = 0;
    for (String section : Files.readString(CLI).split("\n## ")) {
      String title = section.lines().findFirst().orElseThrow();
      Set<String> known = optionsOf(title);
      if (known.isEmpty()) {
        continue;
      }
      checked++;
      matches(FIRST_CELL, section)
          .flatMap(cell -> matches(OPTION, cell.group(1)))
          .map(MatchResult::group)
          .filter(option -> !known.contains(option))
          .forEach(option -> wrong.add(title + ": " + option));
    }
    assertTrue(checked > 5, checked + " sections were found");
    assertEquals(List.of(), wrong);
  }

  /** The options of the commands that a title names in code; none if it names no command. */
  private static Set<String> optionsOf(String title) {
    Map<String, CommandSpec> commands = OptionsPage.commands();
    Set<String> options = new TreeSet<>();
    matches(CODE, title)
        .map(code -> code.group(1).split(" "))
        .flatMap(words -> Stream.of(words[0], words.length > 1 ? words[0] + " " + words[1] : ""))
        .map(commands::get)
        .filter(Objects::nonNull)
        .forEach(spec -> options.addAll(options(spec)));
    return options;
  }

  @Test
  void everyCommandIsInTheOverview() throws IOException {
    String overview = Files.readString(CLI).split("\n## ", 2)[0];
    Set<String> named =
        matches(CODE, overview)
            .flatMap(code -> Stream.of(code.group(1).split(" ")))
            .collect(Collectors.toSet());
    Set<String> missing = new LinkedHashSet<>();
    for (String command : OptionsPage.commands().keySet()) {
      Arrays.stream(command.split(" ")).filter(word -> !named.contains(word)).forEach(missing::add);
    }
    assertEquals(Set.of(), missing);
  }

  @Test
  void everyCommandHasJsonButThoseThatTheReferenceNames() throws IOException {
    String rule = "All commands have it except ";
    String sentence =
        Files.readString(CLI)
            .lines()
            .filter(line -> line.contains(rule))
            .map(line -> line.substring(line.indexOf(rule)))
            .findFirst()
            .orElseThrow();
    Set<String> named =
        matches(CODE, sentence)
            .map(code -> code.group(1))
            .filter(code -> !code.contains("="))
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> without =
        OptionsPage.commands().entrySet().stream()
            .filter(command -> !options(command.getValue()).contains("--json"))
            .map(command -> command.getKey().split(" ")[0])
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(named, without);
  }

  @Test
  void everyFieldOfALineIsInTheReferenceAndInTheHelp() throws IOException {
    String help = String.join(" ", OptionsPage.commands().get("submit").usageMessage().footer());
    String reference = Files.readString(CLI);
    for (String field : PromptLine.FIELDS) {
      assertTrue(reference.contains("| `" + field + "` |"), field + " is not in " + CLI);
      assertTrue(Pattern.compile("\\b" + field + "\\b").matcher(help).find(), field + ": " + help);
    }
  }

  private static Set<String> options(CommandSpec spec) {
    return spec.options().stream().flatMap(CommandReferenceTest::names).collect(Collectors.toSet());
  }

  private static Stream<String> names(OptionSpec option) {
    return Stream.of(option.names())
        .flatMap(
            name ->
                option.negatable()
                    ? Stream.of(name, name.replaceFirst("^--", "--no-"))
                    : Stream.of(name));
  }

  private static Stream<MatchResult> matches(Pattern pattern, String text) {
    return pattern.matcher(text).results();
  }
}
