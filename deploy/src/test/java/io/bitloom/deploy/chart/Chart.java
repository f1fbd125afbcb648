package io.bitloom.deploy.chart;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The chart as Helm itself sees it. */
final class Chart {

  /** The repository. */
  static final Path HOME =
      Path.of(System.getProperty("bitloom.home", "..")).toAbsolutePath().normalize();

  static final Path FOLDER = HOME.resolve("deploy/helm/bitloom");

  static final String RELEASE = "pictures";
  static final String NAMESPACE = "studio";

  /** What the chart is rendered for unless a test says otherwise. */
  private static final String KUBERNETES = "1.34.0";

  private Chart() {}

  /** The values that it is tested with, by the names of their files. */
  static Map<String, Path> combinations() {
    try (Stream<Path> files =
        Files.list(Path.of(Chart.class.getResource("values/minimal.yaml").toURI()).getParent())) {
      Map<String, Path> combinations = new TreeMap<>();
      files.forEach(
          file -> combinations.put(file.getFileName().toString().replace(".yaml", ""), file));
      return combinations;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * What Helm makes of a file of values.
   *
   * @throws RuntimeException with Helm's words if it refuses them
   */
  static Manifests rendered(Path values) {
    return rendered(values, KUBERNETES, RELEASE);
  }

  /** What Helm makes of values as they are written in a file. */
  static Manifests rendered(String values) {
    return rendered(values, KUBERNETES, RELEASE);
  }

  static Manifests rendered(String values, String kubernetes, String release) {
    try {
      Path file = Files.createTempFile("values", ".yaml");
      try {
        Files.writeString(file, values);
        return rendered(file, kubernetes, release);
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Manifests rendered(Path values, String kubernetes, String release) {
    return Manifests.parse(text(values, kubernetes, release));
  }

  /** What Helm makes of a file of values, in its own words. */
  static String text(Path values) {
    return text(values, KUBERNETES, RELEASE);
  }

  private static String text(Path values, String kubernetes, String release) {
    return text(WithoutHooks.FOLDER, values, kubernetes, release);
  }

  /**
   * What Helm makes of values with the chart as an archive, as {@code helm package} writes it.
   *
   * @param folder for archive and values
   */
  static String packaged(Path folder, String values) throws IOException {
    new Helm(FOLDER).packageIt().withDestination(folder).call();
    Path file = Files.writeString(folder.resolve("values.yaml"), values);
    String version = (String) Yamls.read(FOLDER.resolve("Chart.yaml")).get("version");
    return text(folder.resolve("bitloom-" + version + ".tgz"), file, KUBERNETES, RELEASE);
  }

  private static String text(Path chart, Path values, String kubernetes, String release) {
    return new Helm(chart)
        .template()
        .withName(release)
        .withNamespace(NAMESPACE)
        .withKubeVersion(kubernetes)
        .withValuesFile(values)
        .call();
  }

  /**
   * What {@code helm lint --strict} says of the chart with these values for its own.
   *
   * @param folder for a copy of the chart
   */
  static LintResult lint(Path folder, Map<String, Object> values) throws IOException {
    Path copy = copy(folder);
    Files.writeString(copy.resolve("values.yaml"), Yamls.write(values));
    return new Helm(copy).lint().strict().call();
  }

  private static Path copy(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(FOLDER, FileVisitOption.FOLLOW_LINKS)) {
      for (Path file : files.toList()) {
        Path copy = folder.resolve(FOLDER.getFileName()).resolve(FOLDER.relativize(file));
        if (Files.isDirectory(file)) {
          Files.createDirectories(copy);
        } else {
          Files.copy(file, copy);
        }
      }
    }
    return folder.resolve(FOLDER.getFileName());
  }

  /** The chart with the pod of {@code helm test} as any other: rendering leaves hooks out. */
  private static final class WithoutHooks {
    private static final Path FOLDER = make();

    private static Path make() {
      try {
        Path folder = Files.createTempDirectory("chart");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder), "chart"));
        Path copy = copy(folder);
        Path test = copy.resolve("templates/tests/list-jobs.yaml");
        Files.writeString(
            test, Files.readString(test).replace("helm.sh/hook: test", "example.com/hook: test"));
        return copy;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static void delete(Path folder) {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Helm's reasons, without what it repeats around them. */
  static List<String> refusals(RuntimeException refused) {
    return refused
        .getMessage()
        .lines()
        .map(String::strip)
        .filter(line -> line.startsWith("- "))
        .map(line -> line.substring(2))
        .toList();
  }
}
