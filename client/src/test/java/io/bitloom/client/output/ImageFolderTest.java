package io.bitloom.client.output;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.manifest.ManifestLine;
import io.bitloom.v1.ReadResultsResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageFolderTest {

  private static final String JOB = "jobs/1";

  @TempDir Path folder;

  @Test
  void everyImageIsAFileAndALineThatSaysHowItCameToBe() throws IOException {
    save(Results.images(0, "cat", 1), Results.images(1, "dog", 2));

    assertEquals(Set.of("cat.png", "dog_0.png", "dog_1.png", "manifest.jsonl"), files());
    JsonObject line = JsonParser.parseString(manifest().get(0)).getAsJsonObject();
    assertEquals("cat", line.get("custom_id").getAsString());
    assertEquals("cat.png", line.get("file").getAsString());
    assertEquals(64, line.get("width").getAsInt());
    assertEquals(48, line.get("height").getAsInt());
    assertEquals(0, line.get("seed").getAsInt());
    assertEquals("4:3", line.getAsJsonObject("parameters").get("aspect_ratio").getAsString());
    assertEquals(
        "{\"text\":\"a fine cat\",\"rewriter\":\"lm\"}", line.get("drawn_text").toString());
    assertEquals("0.75_0.06M", line.get("schedule").getAsString());
    assertEquals("4:3", line.get("shape").getAsString());
    assertEquals("sha256:00", line.get("model_digest").getAsString());
    assertEquals("worker-1", line.get("worker").getAsString());
    assertTrue(line.getAsJsonObject("times").has("transformer"));
  }

  @Test
  void aFailedPromptIsALineWithItsReason() throws IOException {
    save(Results.failure(4, "cat"));

    JsonObject line = JsonParser.parseString(manifest().get(0)).getAsJsonObject();
    assertEquals("failed", line.get("status").getAsString());
    assertEquals("OUT_OF_MEMORY", line.get("reason").getAsString());
    assertEquals(3, line.get("attempt").getAsInt());
    assertEquals(Set.of("manifest.jsonl"), files());
  }

  @Test
  void anOpenedFolderGoesOnAfterItsLastResult() throws IOException {
    save(Results.images(0, "cat", 1), Results.failure(1, "dog"));

    try (ImageFolder again = ImageFolder.open(folder, JOB)) {
      assertEquals("c1", again.cursor());
      assertEquals(2, again.prompts());
      assertEquals(1, again.images());
      assertEquals(1, again.failed());
    }
  }

  @Test
  void whatIsOnDiskIsNotSavedTwice() throws IOException {
    save(Results.images(0, "cat", 1));
    save(Results.images(0, "cat", 1), Results.images(1, "dog", 1));

    assertEquals(Set.of("cat.png", "dog.png", "manifest.jsonl"), files());
    assertEquals(2, manifest().size());
  }

  @Test
  void anImageThatIsGoneIsTakenAnewUnderItsName() throws IOException {
    save(Results.images(0, "cat", 1), Results.images(1, "dog", 1));
    Files.delete(folder.resolve("cat.png"));

    try (ImageFolder again = ImageFolder.open(folder, JOB)) {
      assertEquals("", again.cursor());
      assertEquals(1, again.prompts());
      again.save(Results.images(0, "cat", 1));
      again.save(Results.images(1, "dog", 1));
    }

    assertEquals(Set.of("cat.png", "dog.png", "manifest.jsonl"), files());
    assertEquals(2, manifest().size());
  }

  @Test
  void aManifestThatBrokeOffInsideAPromptIsMended() throws IOException {
    save(Results.images(0, "cat", 1), Results.images(1, "dog", 2));
    Path file = folder.resolve("manifest.jsonl");
    String text = Files.readString(file);
    Files.writeString(file, text.substring(0, text.length() - 10));

    save(Results.images(1, "dog", 2));

    assertEquals(text, Files.readString(file));
    assertEquals(Set.of("cat.png", "dog_0.png", "dog_1.png", "manifest.jsonl"), files());
  }

  @Test
  void aFolderOfAnotherJobIsRefused() throws IOException {
    save(Results.images(0, "cat", 1));

    BitloomException e =
        assertThrows(BitloomException.class, () -> ImageFolder.open(folder, "jobs/2"));

    assertTrue(e.getMessage().contains(JOB), e.getMessage());
  }

  @Test
  void aReplayFillsTheGapsOfTheFirstJob() throws IOException {
    save(
        Results.images(0, "a/cat", 1),
        Results.failure(1, "dog"),
        Results.failure(2, "owl"),
        Results.failure(3, "fox"));

    try (ImageFolder replay = ImageFolder.open(folder, "jobs/2", Set.of(JOB))) {
      assertEquals(0, replay.failed(), "none of its own");
      assertEquals(3, replay.withoutImages());
    }
    saveReplay("jobs/2", Set.of(JOB), Results.failure(0, "fox"), Results.images(1, "dog", 1));

    assertEquals(List.of("jobs/1", "jobs/1", "jobs/2", "jobs/2"), column("job"));
    assertEquals(List.of(0, 2, 3, 1), manifestLines().map(ManifestLine::place).toList());
    assertEquals(Set.of("a_cat-3f737d3d.png", "dog.png", "manifest.jsonl"), files());

    saveReplay(
        "jobs/3", Set.of(JOB, "jobs/2"), Results.images(0, "fox", 2), Results.images(1, "owl", 1));

    assertEquals(5, manifest().size());
    assertEquals(
        List.of("succeeded", "succeeded", "succeeded", "succeeded", "succeeded"), column("status"));
    try (ImageFolder whole = ImageFolder.open(folder, JOB)) {
      assertEquals(4, whole.prompts());
      assertEquals(5, whole.images());
      assertEquals(0, whole.failed());
      assertEquals(List.of(), whole.save(Results.failure(1, "dog")), "an older outcome");
    }
  }

  @Test
  void whatAReplayDrewIsNotReplacedByItsOlderResultsOrThoseOfAnother() throws IOException {
    save(Results.failure(0, "dog"), Results.failure(1, "owl"));
    saveReplay("jobs/2", Set.of(JOB), Results.images(0, "dog", 1), Results.failure(1, "owl"));
    List<String> before = manifest();

    saveReplay("jobs/2", Set.of(JOB), Results.images(0, "dog", 1), Results.failure(1, "owl"));
    saveReplay("jobs/9", Set.of(JOB), Results.images(0, "dog", 1));

    assertEquals(before, manifest());
  }

  @Test
  void anImageOfAReplayThatIsGoneIsTakenAnewUnderItsName() throws IOException {
    save(Results.images(0, "cat", 1), Results.failure(1, "dog"));
    saveReplay("jobs/2", Set.of(JOB), Results.images(0, "dog", 1));
    Files.delete(folder.resolve("dog.png"));

    try (ImageFolder again = ImageFolder.open(folder, "jobs/2", Set.of(JOB))) {
      assertEquals("", again.cursor());
      assertEquals(0, again.prompts());
    }
    saveReplay("jobs/2", Set.of(JOB), Results.images(0, "dog", 1));

    assertEquals(Set.of("cat.png", "dog.png", "manifest.jsonl"), files());
    assertEquals(2, manifest().size());
  }

  @Test
  void aFolderThatCannotBeWrittenIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("taken"), "a file");

    NotDirectoryException e =
        assertThrows(NotDirectoryException.class, () -> ImageFolder.check(file.resolve("out")));

    assertEquals(file.toString(), e.getFile());
    ImageFolder.check(folder.resolve("a/b/c"));
    assertEquals(Set.of("taken"), files());
  }

  @Test
  void aDamagedImageIsNotSaved() throws IOException {
    ReadResultsResponse.Builder damaged = Results.images(0, "cat", 1).toBuilder();
    damaged
        .getResultBuilder()
        .getImagesBuilder()
        .getImagesBuilder(0)
        .setData(ByteString.copyFromUtf8("not the image"));

    try (ImageFolder images = ImageFolder.open(folder, JOB)) {
      BitloomException e = assertThrows(BitloomException.class, () -> images.save(damaged.build()));
      assertEquals(ErrorCode.RESULT_CORRUPT, e.code());
    }
    assertEquals(Set.of("manifest.jsonl"), files());
  }

  @Test
  void aBrokenManifestIsNamedWithItsLine() throws IOException {
    save(Results.images(0, "cat", 1));
    Files.writeString(folder.resolve("manifest.jsonl"), "not json\n", StandardOpenOption.APPEND);

    IOException e = assertThrows(IOException.class, () -> ImageFolder.open(folder, JOB));

    assertTrue(e.getMessage().contains("manifest.jsonl:2"), e.getMessage());
  }

  @Test
  void clearingLeavesFilesThatAreNotOfTheJob() throws IOException {
    save(Results.images(0, "cat", 1));
    Files.writeString(folder.resolve("notes.txt"), "mine");

    ImageFolder.clear(folder);

    assertEquals(Set.of("notes.txt"), files());
  }

  @Test
  void twoProcessesDoNotWriteIntoOneFolder() throws IOException {
    try (ImageFolder first = ImageFolder.open(folder, JOB)) {
      assertEquals("", first.cursor());
      IOException e = assertThrows(IOException.class, () -> ImageFolder.open(folder, JOB));
      assertTrue(e.getMessage().contains("another process"), e.getMessage());
    }
  }

  private void save(ReadResultsResponse... results) throws IOException {
    try (ImageFolder images = ImageFolder.open(folder, JOB)) {
      for (ReadResultsResponse result : results) {
        images.save(result);
      }
    }
  }

  private void saveReplay(String job, Set<String> replayed, ReadResultsResponse... results)
      throws IOException {
    try (ImageFolder images = ImageFolder.open(folder, job, replayed)) {
      for (ReadResultsResponse result : results) {
        images.save(result);
      }
      images.merge();
    }
  }

  private Stream<ManifestLine> manifestLines() throws IOException {
    return manifest().stream().map(ManifestLine::parse);
  }

  private List<String> column(String name) throws IOException {
    return manifest().stream()
        .map(line -> JsonParser.parseString(line).getAsJsonObject().get(name).getAsString())
        .toList();
  }

  private Set<String> files() throws IOException {
    Set<String> names = new TreeSet<>();
    try (Stream<Path> files = Files.list(folder)) {
      files.forEach(file -> names.add(file.getFileName().toString()));
    }
    names.remove(".lock");
    return names;
  }

  private List<String> manifest() throws IOException {
    return Files.readAllLines(folder.resolve("manifest.jsonl"));
  }
}
