package io.bitloom.coordinator.dispatch.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ReadAheadTest {

  private static final int SMALL = 100;
  private static final int LARGE = 8 << 20;
  private static final int MOST = 256;

  private int asked;
  private final ReadAhead ahead = new ReadAhead(() -> asked++);

  @BeforeEach
  void begin() {
    ahead.first();
  }

  /** A message that was handled before its worker was welcome, as a Hello is. */
  private void welcome() {
    ahead.came(SMALL);
    ahead.handled(SMALL);
    ahead.resume();
  }

  @Test
  void nothingIsReadBetweenHelloAndWelcome() {
    assertEquals(1, asked);
    ahead.came(SMALL);
    ahead.handled(SMALL);
    assertEquals(1, asked);
    ahead.resume();
    assertEquals(2, asked);
  }

  @Test
  void smallMessagesAreReadBeforeThoseBeforeThemAreHandled() {
    welcome();
    ahead.came(SMALL);
    ahead.came(SMALL);
    assertEquals(4, asked);
  }

  @Test
  void oneMessageIsAskedForAtATime() {
    welcome();
    ahead.came(SMALL);
    ahead.handled(SMALL);
    ahead.resume();
    assertEquals(3, asked);
  }

  @Test
  void noMoreMessagesThanSoManyWait() {
    welcome();
    for (int i = 0; i < MOST; i++) {
      ahead.came(SMALL);
    }
    assertEquals(1 + MOST, asked);
    ahead.handled(SMALL);
    assertEquals(2 + MOST, asked);
  }

  @Test
  void aLargeMessageIsHandledBeforeTheNextIsRead() {
    welcome();
    ahead.came(LARGE);
    assertEquals(2, asked);
    assertEquals(true, ahead.full());
    ahead.handled(LARGE);
    assertEquals(3, asked);
    assertEquals(false, ahead.full());
  }

  @Test
  void outcomesThatAreBeingStoredHoldReadingBack() {
    welcome();
    ahead.came(LARGE);
    ahead.hold(LARGE);
    ahead.handled(LARGE);
    assertEquals(2, asked);
    assertEquals(true, ahead.full());
    ahead.letGo(LARGE);
    assertEquals(3, asked);
  }

  @Test
  void nothingIsReadAfterTheEnd() {
    welcome();
    ahead.end();
    ahead.came(SMALL);
    ahead.handled(SMALL);
    assertEquals(2, asked);
  }

  @Test
  void aMessageMayComeWhileItIsAskedFor() {
    ReadAhead[] atOnce = new ReadAhead[1];
    atOnce[0] =
        new ReadAhead(
            () -> {
              if (++asked < 10) {
                atOnce[0].came(SMALL);
              }
            });
    asked = 0;
    atOnce[0].resume();
    assertEquals(10, asked);
  }
}
