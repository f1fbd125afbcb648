package io.bitloom.loadtests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A name of a class means one thing in all modules. */
class ClassNamesTest {
  /** Every program has a class with this name, and every package a file with that one. */
  private static final Set<String> SHARED = Set.of("Main.java", "package-info.java");

  @Test
  void noTwoClassesHaveOneName() throws IOException {
    try (Stream<Path> files = Files.walk(BitloomProcess.HOME)) {
      Map<String, List<String>> places =
          files
              .map(file -> BitloomProcess.HOME.relativize(file).toString())
              .filter(file -> file.contains("src/main/java/") && file.endsWith(".java"))
              .collect(
                  Collectors.groupingBy(ClassNamesTest::name, TreeMap::new, Collectors.toList()));
      assertTrue(places.size() > 500, places.keySet().toString());
      places.keySet().removeAll(SHARED);
      places.values().removeIf(same -> same.size() == 1);
      assertEquals(Map.of(), places);
    }
  }

  private static String name(String file) {
    return file.substring(file.lastIndexOf('/') + 1);
  }
}
