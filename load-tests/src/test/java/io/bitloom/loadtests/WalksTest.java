package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The walks through the code lead only where there is something. */
class WalksTest {
  private static final Path WALKS = BitloomProcess.HOME.resolve("docs/explanation");
  private static final Path README = BitloomProcess.HOME.resolve("README.md");
  private static final List<String> MODULES = List.of("common", "client", "coordinator", "worker");

  /** {@code [`Name`]: path}, at the end of a page. */
  private static final Pattern DEFINITION =
      Pattern.compile("^\\[([^\\]]+)]: (\\S+)$", Pattern.MULTILINE);

  /** {@code [`Name`]}. */
  private static final Pattern REFERENCE = Pattern.compile("\\[(`[^`\\]]+`)](?!\\()");

  private static final Pattern INLINE_LINK = Pattern.compile("]\\(([^)\\s]+)\\)");
  private static final Pattern FIGURE =
      Pattern.compile("^```$(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
  private static final Pattern CODE = Pattern.compile("`([^`\n]+)`");

  /** A class, perhaps with a method or a nested type. */
  private static final Pattern NAME = Pattern.compile("([A-Z]\\w*[a-z]\\w*)(?:\\.(\\w+))?");

  /** What is a class without code font, too. */
  private static final Pattern NAME_IN_FIGURE =
      Pattern.compile("\\b[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]+)+(?:\\.\\w+)?|\\b[A-Z]\\w+\\.[a-z]\\w+");

  private static final Pattern COUNTED_SECTION = Pattern.compile("(.*) \\((\\d+) classes\\)\n");
  private static final Pattern ALL_CLASSES = Pattern.compile("\\*\\*(\\d+) classes\\*\\*");

  @Test
  void theReadmeLeadsToEveryWalk() throws IOException {
    String readme = Files.readString(README);
    List<Path> walks = walks();
    assertTrue(walks.size() >= 2, walks.toString());
    for (Path walk : walks) {
      assertTrue(readme.contains("(docs/explanation/" + walk.getFileName() + ")"), walk.toString());
    }
  }

  @Test
  void everyLinkLeadsToAFile() throws IOException {
    List<String> broken = new ArrayList<>();
    for (Path page : Stream.concat(walks().stream(), Stream.of(README)).toList()) {
      String text = Files.readString(page);
      Stream.concat(
              matches(INLINE_LINK, text).map(link -> link.group(1)),
              definitions(text).values().stream())
          .filter(target -> !target.contains("://") && !target.startsWith("#"))
          .filter(target -> !Files.exists(resolve(page, target)))
          .forEach(target -> broken.add(page.getFileName() + ": " + target));
    }
    assertEquals(List.of(), broken);
  }

  @Test
  void everyReferenceHasADefinitionAndEveryDefinitionALink() throws IOException {
    for (Path walk : walks()) {
      String text = Files.readString(walk);
      assertEquals(
          references(text).collect(Collectors.toCollection(TreeSet::new)),
          new TreeSet<>(definitions(text).keySet()),
          walk.toString());
    }
  }

  @Test
  void everyLinkOfAClassLeadsToThatClass() throws IOException {
    List<String> wrong = new ArrayList<>();
    for (Path walk : walks()) {
      String text = Files.readString(walk);
      Map<String, String> definitions = definitions(text);
      matches(REFERENCE, body(text))
          .filter(link -> NAME.matcher(unquoted(link.group(1))).matches())
          .filter(
              link ->
                  !fileName(definitions.getOrDefault(link.group(1), ""))
                      .equals(unquoted(link.group(1)).replaceFirst("\\..*", "") + ".java"))
          .forEach(link -> wrong.add(walk.getFileName() + ": " + link.group()));
    }
    assertEquals(List.of(), wrong);
  }

  @Test
  void everyClassAndMethodThatAWalkNamesExists() throws IOException {
    Map<String, List<Path>> classes = classes();
    List<String> gone = new ArrayList<>();
    for (Path walk : walks()) {
      Set<String> names = names(Files.readString(walk));
      assertTrue(names.size() > 20, walk + " names only " + names);
      for (String name : names) {
        if (!exists(name, classes)) {
          gone.add(walk.getFileName() + ": " + name);
        }
      }
    }
    assertEquals(List.of(), gone);
  }

  @Test
  void aNumberOfClassesIsThatOfTheLinkedOnes() throws IOException {
    for (Path walk : walks()) {
      String text = Files.readString(walk);
      Map<String, String> definitions = definitions(text);
      Set<String> all = new TreeSet<>();
      Map<String, Integer> said = new LinkedHashMap<>();
      Map<String, Integer> linked = new LinkedHashMap<>();
      for (String section : body(text).split("(?m)^## ")) {
        matches(COUNTED_SECTION, section)
            .forEach(
                title -> {
                  Set<String> files = linkedClasses(section, definitions);
                  said.put(title.group(1), Integer.valueOf(title.group(2)));
                  linked.put(title.group(1), files.size());
                  all.addAll(files);
                });
      }
      matches(ALL_CLASSES, text)
          .forEach(number -> said.put("in all", Integer.valueOf(number.group(1))));
      linked.put("in all", all.size());
      assertEquals(linked, said, walk.toString());
    }
  }

  private static Set<String> linkedClasses(String section, Map<String, String> definitions) {
    return references(section)
        .map(label -> definitions.getOrDefault(label, ""))
        .filter(target -> target.endsWith(".java"))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static List<Path> walks() throws IOException {
    try (Stream<Path> pages = Files.list(WALKS)) {
      return pages.filter(page -> page.toString().endsWith(".md")).sorted().toList();
    }
  }

  /** The source files of all modules by the name of their class. */
  private static Map<String, List<Path>> classes() throws IOException {
    Map<String, List<Path>> classes = new HashMap<>();
    for (String module : MODULES) {
      try (Stream<Path> files = Files.walk(BitloomProcess.HOME.resolve(module))) {
        files
            .filter(file -> file.toString().contains("/src/main/java/"))
            .filter(file -> file.toString().endsWith(".java"))
            .forEach(
                file ->
                    classes
                        .computeIfAbsent(
                            fileName(file.toString()).replace(".java", ""), n -> new ArrayList<>())
                        .add(file));
      }
    }
    return classes;
  }

  private static boolean exists(String name, Map<String, List<Path>> classes) throws IOException {
    String[] parts = name.split("\\.");
    List<Path> files = classes.getOrDefault(parts[0], List.of());
    if (parts.length == 1) {
      return !files.isEmpty();
    }
    Pattern member =
        Character.isUpperCase(parts[1].charAt(0))
            ? Pattern.compile("\\b(class|record|interface|enum) " + parts[1] + "\\b")
            : Pattern.compile("\\b" + parts[1] + "\\(");
    for (Path file : files) {
      if (member.matcher(Files.readString(file)).find()) {
        return true;
      }
    }
    return false;
  }

  /** Names in code font, and those in figures that cannot be anything else. */
  private static Set<String> names(String text) {
    Set<String> names = new TreeSet<>();
    matches(FIGURE, text)
        .flatMap(figure -> matches(NAME_IN_FIGURE, figure.group(1)))
        .forEach(name -> names.add(name.group()));
    matches(CODE, FIGURE.matcher(body(text)).replaceAll(""))
        .map(code -> code.group(1))
        .filter(code -> NAME.matcher(code).matches())
        .forEach(names::add);
    return names;
  }

  private static String body(String text) {
    return DEFINITION.matcher(text).replaceAll("");
  }

  private static Map<String, String> definitions(String text) {
    return matches(DEFINITION, text)
        .collect(Collectors.toMap(found -> found.group(1), found -> found.group(2)));
  }

  /** The definitions that a text asks for. */
  private static Stream<String> references(String text) {
    return matches(REFERENCE, body(text)).map(reference -> reference.group(1));
  }

  private static String unquoted(String code) {
    return code.replace("`", "");
  }

  private static String fileName(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  private static Path resolve(Path page, String target) {
    return page.resolveSibling(target.replaceFirst("#.*", ""));
  }

  private static Stream<MatchResult> matches(Pattern pattern, String text) {
    return pattern.matcher(text).results();
  }
}
