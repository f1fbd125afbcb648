package io.bitloom.client.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.error.BitloomException;
import io.grpc.InsecureChannelCredentials;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A token goes to another machine by TLS, or because somebody said that it may. */
class TokenSecrecyTest {

  private ServerSocket listener;
  private String address;

  @BeforeEach
  void listen() throws IOException {
    Optional<InetAddress> beyondLoopback =
        NetworkInterface.networkInterfaces()
            .flatMap(NetworkInterface::inetAddresses)
            .filter(a -> !a.isLoopbackAddress() && !a.isLinkLocalAddress())
            .filter(a -> a.getAddress().length == 4)
            .findFirst();
    assumeTrue(beyondLoopback.isPresent(), "this machine has no address but loopback");
    listener = new ServerSocket(0, 5, beyondLoopback.get());
    address = beyondLoopback.get().getHostAddress() + ":" + listener.getLocalPort();
  }

  @AfterEach
  void stop() throws IOException {
    if (listener != null) {
      listener.close();
    }
  }

  private BitloomClient.Builder client() {
    return BitloomClient.builder(address).token("secret").firstContact(Duration.ofMillis(100));
  }

  @Test
  void aTokenIsNotSentInPlainText() {
    for (BitloomClient.Builder builder :
        new BitloomClient.Builder[] {
          client(), client().credentials(InsecureChannelCredentials.create())
        }) {
      ConfigException e = assertThrows(ConfigException.class, builder::build);
      assertTrue(e.getMessage().startsWith("coordinator must be reached by TLS"), e.getMessage());
    }
    BitloomClient.builder(address).build().close();
    BitloomClient.builder("https://" + address).token("secret").build().close();
    BitloomClient.builder("127.0.0.1:1").token("secret").build().close();
  }

  @Test
  void itIsIfThatIsSaidAloud() throws Exception {
    try (BitloomClient client = client().insecure(true).build()) {
      Thread caller = new Thread(() -> assertThrows(BitloomException.class, client::limits));
      caller.start();
      try (Socket call = listener.accept()) {
        byte[] preface = call.getInputStream().readNBytes(3);
        assertEquals("PRI", new String(preface, StandardCharsets.US_ASCII));
      }
      caller.join();
    }
  }
}
