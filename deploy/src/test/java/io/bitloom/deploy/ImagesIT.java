package io.bitloom.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is in the images, read from their files, which needs no container engine. */
class ImagesIT {

  private static final Map<String, ImageFile> IMAGES = new TreeMap<>();

  @TempDir Path directory;

  @BeforeAll
  static void build() throws Exception {
    if (!BuiltImages.canBeBuilt()) {
      System.out.println("ImagesIT is skipped: images are made of Debian's packages, with apt-get");
    }
    assumeTrue(BuiltImages.canBeBuilt());
    for (String name : BuiltImages.NAMES) {
      IMAGES.put(name, new ImageFile(BuiltImages.folder().resolve(name + ".tar")));
    }
  }

  private static JsonObject config(String name) {
    return IMAGES.get(name).config().getAsJsonObject("config");
  }

  @Test
  void programsRunAsAUserWithoutRights() {
    IMAGES.forEach(
        (name, image) -> {
          assertEquals("10001:10001", config(name).get("User").getAsString(), name);
          JsonElement first = config(name).getAsJsonArray("Entrypoint").get(0);
          assertEquals("/opt/java/bin/java", first.getAsString(), name);
        });
  }

  @Test
  void labelsSayWhatAnImageIs() {
    IMAGES.forEach(
        (name, image) -> {
          JsonObject labels = config(name).getAsJsonObject("Labels");
          for (String label : List.of("description", "version", "licenses", "created")) {
            assertFalse(
                labels.get("org.opencontainers.image." + label).getAsString().isBlank(), label);
          }
          assertEquals(name, labels.get("org.opencontainers.image.title").getAsString());
          assertEquals(
              image.config().get("created").getAsString(),
              labels.get("org.opencontainers.image.created").getAsString());
        });
  }

  @Test
  void thereIsNoProgramButJava() throws Exception {
    for (Map.Entry<String, ImageFile> image : IMAGES.entrySet()) {
      Set<String> programs = new TreeSet<>();
      image
          .getValue()
          .entries()
          .forEach(
              (path, entry) -> {
                if (path.matches("(.*/)?s?bin/[^/]+") && !entry.isFolder()) {
                  programs.add(path);
                }
              });
      assertTrue(programs.contains("opt/java/bin/java"), image.getKey());
      assertTrue(
          programs.stream().allMatch(path -> path.startsWith("opt/java/bin/")),
          image.getKey() + ": " + programs);
    }
  }

  @Test
  void aProgramOwnsTheFolderThatItWritesToAndNothingElse() throws Exception {
    Map<String, Set<String>> expected =
        Map.of(
            "bitloom-coordinator", Set.of("data"),
            "bitloom-worker", Set.of("cache"),
            "bitloom-client", Set.of());
    for (Map.Entry<String, ImageFile> image : IMAGES.entrySet()) {
      Set<String> own = new TreeSet<>();
      image
          .getValue()
          .entries()
          .forEach(
              (path, entry) -> {
                if (!entry.owner().equals("0:0")) {
                  own.add(path);
                }
                assertTrue(
                    path.equals("tmp") || (entry.mode() & 2) == 0, path + " is open to everybody");
              });
      assertEquals(expected.get(image.getKey()), own, image.getKey());
    }
  }

  @Test
  void noNativeLibraryIsThereTwiceOrForAnotherSystem() throws Exception {
    for (Map.Entry<String, ImageFile> image : IMAGES.entrySet()) {
      Map<String, String> libraries = new TreeMap<>();
      image
          .getValue()
          .entries()
          .forEach(
              (path, entry) -> {
                if (ImageFile.isNative(path) && !entry.isFolder()) {
                  String other = libraries.put(entry.sha256(), path);
                  assertTrue(other == null, path + " is the same as " + other);
                  assertTrue(path.matches(".*\\.so(\\.\\d+)*"), path);
                }
              });
      assertFalse(libraries.isEmpty(), image.getKey());
    }
  }

  @Test
  void theBillOfMaterialsNamesEveryJarAndEveryPackage() throws Exception {
    for (Map.Entry<String, ImageFile> image : IMAGES.entrySet()) {
      String bill = image.getValue().text("opt/bitloom/sbom.cdx.json");
      assertEquals(
          Files.readString(BuiltImages.folder().resolve(image.getKey() + ".sbom.cdx.json")), bill);
      Set<String> jars = new HashSet<>();
      Set<String> packages = new HashSet<>();
      for (JsonElement element :
          JsonParser.parseString(bill).getAsJsonObject().getAsJsonArray("components")) {
        JsonObject component = element.getAsJsonObject();
        String url = component.get("purl").getAsString();
        String name = component.get("name").getAsString();
        if (url.startsWith("pkg:maven/")) {
          String classifier =
              url.contains("classifier=") ? "-" + url.replaceAll(".*classifier=|&.*", "") : "";
          jars.add(name + "-" + component.get("version").getAsString() + classifier + ".jar");
        } else if (url.startsWith("pkg:deb/")) {
          packages.add(name);
        }
      }
      Set<String> status = new HashSet<>();
      for (String path : image.getValue().entries().keySet()) {
        if (path.matches("opt/bitloom/lib/[^/]+\\.jar")) {
          String jar = path.substring("opt/bitloom/lib/".length());
          assertTrue(
              jars.contains(jar) || jar.equals(image.getKey() + ".jar"), "the bill has no " + jar);
        } else if (path.startsWith("var/lib/dpkg/status.d/")) {
          status.add(path.substring("var/lib/dpkg/status.d/".length()));
        }
      }
      assertEquals(status, packages);
      assertTrue(packages.contains("libc6"), packages.toString());
    }
  }

  @Test
  void whatIsBuiltTwiceIsTheSame() throws Exception {
    Path list = BuiltImages.folder().resolve("packages.txt");
    BuiltImages.build(
        directory, List.of("--image", "bitloom-client", "--packages", list.toString()));
    assertEquals(
        -1,
        Files.mismatch(
            BuiltImages.folder().resolve("bitloom-client.tar"),
            directory.resolve("bitloom-client.tar")));
  }
}
