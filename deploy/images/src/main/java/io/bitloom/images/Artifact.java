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
