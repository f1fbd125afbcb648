package io.bitloom.training.data.demo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.bitloom.engine.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoDatasetTest {
  private static final int MANY = 20_000;

  private static Stream<DemoExample> examples(DemoDataset dataset) {
    return LongStream.range(0, MANY).mapToObj(dataset::example);
  }

  @Test
  void noCompositionOfTheHeldOutPartIsDrawnForTraining() {
    Set<String> seen =
        examples(DemoDataset.training(1))
            .map(example -> example.composition().key())
            .collect(Collectors.toSet());
    assertTrue(
        examples(DemoDataset.heldOut(2))
            .noneMatch(example -> seen.contains(example.composition().key())));
  }

  @Test
  void aPairSaidTheOtherWayRoundIsHeldOutToo() {
    Subject cat = new Subject(Thing.CAT, Optional.empty());
    for (Thing thing : Thing.values()) {
      if (thing != Thing.CAT) {
        Subject other = Subject.all(thing).findFirst().orElseThrow();
        assertEquals(
            new Composition.Pair(cat, Relation.ABOVE, other, Backdrop.SEA).heldOut(),
            new Composition.Pair(other, Relation.BELOW, cat, Backdrop.ROOM).heldOut());
      }
    }
  }

  @Test
  void everyThingIsSeenOnEveryBackdropInTraining() {
    Map<String, Integer> counts = new HashMap<>();
    examples(DemoDataset.training(1))
        .forEach(
            example ->
                example
                    .composition()
                    .subjects()
                    .forEach(
                        subject ->
                            counts.merge(
                                subject.thing() + " " + example.composition().backdrop(),
                                1,
                                Integer::sum)));
    assertEquals(Thing.values().length * Backdrop.values().length, counts.size());
    assertTrue(counts.values().stream().allMatch(count -> count > 40), counts::toString);
  }

  @Test
  void aboutAnEighthOfTheCompositionsIsHeldOut() {
    double heldOut =
        Subject.all()
            .flatMap(
                subject ->
                    Stream.of(Place.values())
                        .flatMap(
                            place ->
                                Stream.of(Backdrop.values())
                                    .map(
                                        backdrop ->
                                            new Composition.Single(
                                                subject, ThingSize.SMALL, place, backdrop))))
            .mapToInt(single -> single.heldOut() ? 1 : 0)
            .average()
            .orElseThrow();
    assertEquals(0.125, heldOut, 0.03);
  }

  @Test
  void captionsNameWhatThePictureShows() {
    examples(DemoDataset.training(3))
        .limit(2000)
        .forEach(
            example ->
                example
                    .composition()
                    .subjects()
                    .forEach(
                        subject ->
                            assertTrue(
                                example.caption().contains(subject.thing().word()),
                                example::toString)));
  }

  @Test
  void anExampleDoesNotDependOnWhatWasAskedForBefore() {
    DemoDataset dataset = DemoDataset.training(5);
    DemoExample later = dataset.example(77);
    dataset.example(3);
    assertEquals(later, DemoDataset.training(5).example(77));
    assertArrayEquals(
        new DemoPictures().draw(later).rgb(), new DemoPictures().draw(dataset.example(77)).rgb());
    assertFalse(later.caption().equals(DemoDataset.training(6).example(77).caption()));
  }

  @Test
  void readingOrderNamesWhatIsLeftOrAboveFirstAndChangesNoPicture() {
    DemoDataset dataset = DemoDataset.training(5);
    for (long i = 0; i < 60; i++) {
      DemoExample usual = dataset.example(i);
      DemoExample read = dataset.inReadingOrder().example(i);
      assertArrayEquals(new DemoPictures().draw(usual).rgb(), new DemoPictures().draw(read).rgb());
      if (read.composition() instanceof Composition.Pair pair) {
        Layout.Box first = Layout.boxes(pair, read.schedule()).get(0);
        Layout.Box second = Layout.boxes(pair, read.schedule()).get(1);
        assertTrue(first.x() < second.x() || first.y() < second.y(), read::toString);
        assertTrue(
            read.caption().indexOf(pair.first().thing().word())
                < read.caption().lastIndexOf(pair.second().thing().word()),
            read::toString);
      } else {
        assertEquals(usual, read);
      }
    }
  }

  @Test
  void pairsDoNotCoverEachOther() {
    examples(DemoDataset.training(1))
        .filter(example -> example.composition() instanceof Composition.Pair)
        .limit(3000)
        .forEach(
            example -> {
              List<Layout.Box> boxes = Layout.boxes(example.composition(), example.schedule());
              Layout.Box a = boxes.get(0);
              Layout.Box b = boxes.get(1);
              int overlapX = Math.min(a.x(), b.x()) + a.side() - Math.max(a.x(), b.x());
              int overlapY = Math.min(a.y(), b.y()) + a.side() - Math.max(a.y(), b.y());
              assertTrue(Math.min(overlapX, overlapY) <= 0, example + " " + boxes);
            });
  }

  @Test
  void aDataSetOfFilesHoldsThePicturesAndBothKindsOfCaptionFiles(@TempDir Path folder)
      throws IOException {
    DemoDataset dataset = DemoDataset.training(4);
    new DemoDatasetWriter(folder).write(dataset, 12, done -> {});

    List<String> lines = Files.readAllLines(folder.resolve("captions.jsonl"));
    assertEquals(12, lines.size());
    for (int i = 0; i < lines.size(); i++) {
      JsonObject line = JsonParser.parseString(lines.get(i)).getAsJsonObject();
      RgbImage drawn = new DemoPictures().draw(dataset.example(i));
      var stored = ImageIO.read(folder.resolve(line.get("image_path").getAsString()).toFile());
      assertEquals(drawn.width(), stored.getWidth());
      assertEquals(drawn.height(), stored.getHeight());
      assertEquals(drawn.rgb()[0] & 0xff, (stored.getRGB(0, 0) >> 16) & 0xff);
      assertEquals(dataset.example(i).caption(), line.get("long_caption").getAsString());
    }
    assertEquals(
        2, Files.readAllLines(folder.resolve("splits").resolve("1.000_000000002.jsonl")).size());
  }
}
