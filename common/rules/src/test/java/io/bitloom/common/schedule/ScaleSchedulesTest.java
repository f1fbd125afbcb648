package io.bitloom.common.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ScaleSchedulesTest {

  @Test
  void tallTemplatesAreFollowedByTheirMirrors() {
    assertEquals(
        List.of(
            "1.0", "1.25", "0.8", "1.333", "0.75", "1.5", "0.666", "1.75", "0.571", "2.0", "0.5",
            "2.5", "0.4", "3.0", "0.333"),
        ScaleSchedules.templates().stream().map(AspectRatioTemplate::key).toList());
  }

  @Test
  void everyTemplateHasANameInSmallWholeNumbers() {
    assertEquals(
        List.of(
            "1:1", "4:5", "5:4", "3:4", "4:3", "2:3", "3:2", "4:7", "7:4", "1:2", "2:1", "2:5",
            "5:2", "1:3", "3:1"),
        ScaleSchedules.templates().stream().map(AspectRatioTemplate::shape).toList());
    assertEquals("7:4 0.25M", ScaleSchedules.name("0.571_0.25M"));
    assertEquals("1:1 var256", ScaleSchedules.name("1.0_var256"));
    assertEquals("of another version", ScaleSchedules.name("of another version"));
  }

  @Test
  void everySizeIsWithinAPercentOfItsTemplatesRatio() {
    for (SizeClass size : SizeClass.values()) {
      for (ScaleSchedule schedule : ScaleSchedules.of(size)) {
        double ratio = (double) schedule.pixelHeight() / schedule.pixelWidth();
        assertEquals(Double.parseDouble(schedule.template()), ratio, 0.01, schedule.id());
        assertEquals(size.scales(), schedule.scales().size());
      }
    }
  }

  @Test
  void everyScheduleIsFoundByItsIdAndMadeOnce() {
    for (SizeClass size : SizeClass.values()) {
      for (ScaleSchedule schedule : ScaleSchedules.of(size)) {
        assertEquals(Optional.of(schedule), ScaleSchedules.find(schedule.id()));
        assertSame(
            ScaleSchedules.find(schedule.id()).orElseThrow(),
            ScaleSchedules.find(schedule.id()).orElseThrow());
      }
    }
    assertEquals(Optional.empty(), ScaleSchedules.find("1.0_9M"));
  }

  @Test
  void squareScheduleHasThePublishedSizesAndLengths() {
    AspectRatioTemplate square = ScaleSchedules.nearest(1.0);
    assertEquals(256, square.schedule(SizeClass.PIXELS_0_06M).pixelWidth());
    assertEquals(521, square.schedule(SizeClass.PIXELS_0_06M).tokens());
    assertEquals(2521, square.schedule(SizeClass.PIXELS_0_25M).tokens());
    assertEquals(6425, square.schedule(SizeClass.PIXELS_0_60M).tokens());
    assertEquals(10521, square.schedule(SizeClass.PIXELS_1M).tokens());
  }

  @Test
  void theSizesOfVarAreSquareAndHaveScalesOfTheirOwn() {
    ScaleSchedule var = ScaleSchedules.nearest(1.0, SizeClass.VAR_256);
    assertEquals("1.0_var256", var.id());
    assertEquals(256, var.pixelWidth());
    assertEquals(680, var.tokens());
    assertEquals(2240, ScaleSchedules.nearest(1.0, SizeClass.VAR_512).tokens());
    assertEquals(List.of(var), ScaleSchedules.of(SizeClass.VAR_256));
    assertEquals(var, ScaleSchedules.nearest(0.5, SizeClass.VAR_256));
    assertThrows(
        IllegalArgumentException.class,
        () -> ScaleSchedules.nearest(0.5).schedule(SizeClass.VAR_256));
    assertTrue(ScaleSchedules.find("0.5_var256").isEmpty());
  }

  @Test
  void nearestTemplateWinsAndOfTwoEquallyNearTheFirst() {
    assertEquals("0.571", ScaleSchedules.nearest(0.5625).key());
    assertEquals("1.25", ScaleSchedules.nearest(1.2).key());
    assertEquals("3.0", ScaleSchedules.nearest(10).key());
    assertEquals("1.0", ScaleSchedules.nearest(1.125).key());
    assertEquals("0.666", ScaleSchedules.nearest(2.0 / 3).key());
  }

  @Test
  void aRatioThatIsNoPositiveNumberIsRefused() {
    for (double ratio : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThrows(IllegalArgumentException.class, () -> ScaleSchedules.nearest(ratio));
    }
  }

  @Test
  void everyScheduleIsFoundByItsId() {
    for (SizeClass size : SizeClass.values()) {
      for (ScaleSchedule schedule : ScaleSchedules.of(size)) {
        assertEquals(schedule, ScaleSchedules.find(schedule.id()).orElseThrow());
      }
    }
    assertTrue(ScaleSchedules.find("1.0_2M").isEmpty());
  }
}
