/** The one way in which messages become JSON. */
package io.bitloom.common.json;
