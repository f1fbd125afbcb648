/** The one way in which messages become JSON, and JSON becomes messages. */
package io.bitloom.common.json;
