package io.bitloom.images;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A jar as Maven names it. */
record Artifact(String group, String name, String version, Optional<String> classifier) {

  /** A line of {@code mvn dependency:list}. */
  private static final Pattern LINE =
      Pattern.compile(
          "\\s+([\\w.-]+):([\\w.-]+):jar:(?:([\\w.-]+):)?([\\w.-]+):(?:compile|runtime)\\b.*");

  /** The artifacts of a list, by the names of their files. */
  static Map<String, Artifact> read(Path list) throws IOException {
    Map<String, Artifact> artifacts = new TreeMap<>();
    for (String line : Files.readAllLines(list)) {
      Matcher match = LINE.matcher(line);
      if (match.matches()) {
        Artifact artifact =
            new Artifact(
                match.group(1),
                match.group(2),
                match.group(4),
                Optional.ofNullable(match.group(3)));
        artifacts.put(artifact.file(), artifact);
      }
    }
    return artifacts;
  }

  /**
   * One that only its file tells about.
   *
   * @param file {@code NAME-VERSION.jar} or {@code NAME-VERSION-CLASSIFIER.jar}
   * @param classifier that it has if its name ends with it
   * @throws IOException if it is called otherwise
   */
  static Artifact of(String group, String name, String classifier, Path file) throws IOException {
    String rest = file.getFileName().toString();
    if (!rest.startsWith(name + "-") || !rest.endsWith(".jar")) {
      throw new IOException("expected a jar of " + name + ", got " + file);
    }
    rest = rest.substring(name.length() + 1, rest.length() - ".jar".length());
    boolean classified = rest.endsWith("-" + classifier);
    return new Artifact(
        group,
        name,
        classified ? rest.substring(0, rest.length() - classifier.length() - 1) : rest,
        classified ? Optional.of(classifier) : Optional.empty());
  }

  String file() {
    return name + "-" + version + classifier.map(text -> "-" + text).orElse("") + ".jar";
  }

  /** Its package URL. */
  String url() {
    return "pkg:maven/"
        + group
        + "/"
        + name
        + "@"
        + version
        + classifier.map(text -> "?classifier=" + text + "&type=jar").orElse("?type=jar");
  }
}
