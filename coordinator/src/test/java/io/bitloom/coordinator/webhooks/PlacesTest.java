package io.bitloom.coordinator.webhooks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PlacesTest {

  private static final long SECOND = 1_000_000_000;

  private final Places places = new Places(2);

  @Test
  void oneWhoHasAllItsPlacesTakesNoneOfOthers() {
    assertEquals(Optional.empty(), places.take("a", 0));
    assertEquals(Optional.empty(), places.take("a", 0));
    assertTrue(places.take("a", 0).isPresent());
    assertEquals(Optional.empty(), places.take("b", 0));
  }

  @Test
  void whoeverWaitsComesAtATimeOfItsOwn() {
    fill();
    assertEquals(Duration.ofMillis(50), places.take("a", 0).get());
    assertEquals(Duration.ofMillis(100), places.take("a", 0).get());
  }

  @Test
  void theSlowerAReceiverIsTheLaterTheyCome() {
    fill();
    for (int k = 0; k < 100; k++) {
      places.leave("a", 10 * SECOND);
      assertEquals(Optional.empty(), places.take("a", 0));
    }
    Duration wait = places.take("a", 0).get();
    assertTrue(wait.toMillis() > 4_900 && wait.toMillis() <= 5_000, wait::toString);
  }

  @Test
  void nobodyWaitsForMoreThanAMinute() {
    fill();
    Duration wait = Duration.ZERO;
    for (int k = 0; k < 10_000; k++) {
      wait = places.take("a", 0).get();
    }
    assertEquals(Duration.ofMinutes(1), wait);
  }

  @Test
  void aPlaceThatIsLeftIsFree() {
    fill();
    places.leave("a");
    assertEquals(Optional.empty(), places.take("a", 0));
  }

  private void fill() {
    places.take("a", 0);
    places.take("a", 0);
  }
}
