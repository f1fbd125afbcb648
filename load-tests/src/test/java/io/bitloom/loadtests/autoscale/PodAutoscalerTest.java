package io.bitloom.loadtests.autoscale;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** That what stands for Kubernetes behaves as documented there. */
class PodAutoscalerTest {

  private static PodAutoscaler with(PodAutoscaler.Settings settings) {
    return new PodAutoscaler(settings, 1000);
  }

  @Test
  void aDeviationWithinATenthIsLeftAlone() {
    PodAutoscaler ours = with(PodAutoscaler.Settings.OURS);
    assertEquals(20, ours.synced(0, 20, 22));
    assertEquals(23, ours.synced(15, 20, 22.1));
    assertEquals(20, ours.synced(30, 20, 18));
    assertEquals(18, ours.synced(45, 20, 17.9));
  }

  @Test
  void byItselfItDoublesOrAddsFourInAQuarterOfAMinute() {
    PodAutoscaler usual = with(PodAutoscaler.Settings.USUAL);
    assertEquals(5, usual.synced(0, 1, 100));
    assertEquals(10, usual.synced(15, 5, 100));
    assertEquals(40, usual.synced(30, 20, 100));
  }

  @Test
  void itGoesDownToTheMostOfTheLastMinutes() {
    PodAutoscaler usual = with(PodAutoscaler.Settings.USUAL);
    assertEquals(20, usual.synced(0, 20, 20));
    assertEquals(20, usual.synced(15, 20, 5));
    assertEquals(20, usual.synced(300, 20, 5));
    assertEquals(5, usual.synced(315, 20, 5));
  }

  @Test
  void kedaAloneGoesBetweenNoneAndOne() {
    PodAutoscaler ours = with(PodAutoscaler.Settings.OURS);
    assertEquals(0, ours.synced(0, 0, 5));
    assertEquals(1, ours.activated(10, 0, true));
    assertEquals(1, ours.synced(15, 1, 0));
    assertEquals(1, ours.activated(60, 1, false));
    assertEquals(0, ours.activated(70, 1, false));
  }
}
