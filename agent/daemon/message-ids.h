/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * MESSAGE_ID of every event that monitoring may want to find, each made once at random (systemd-id128 new)
 * and never given to another event. Fields beside it: SNP_VOLUME, SNP_RESOURCE, SNP_PEER_UID, SNP_PEER_PID,
 * SNP_UNIT, SNP_DOOR, SNP_RESULT, SNP_REASON.
 */

/* The broker accepted our evidence. */
#define MESSAGE_ID_ATTESTED "aaf9d748696b46738220c82afc535548"
/* A handshake or its evidence failed. */
#define MESSAGE_ID_ATTEST_FAILED "7fed4b4bbc094685bb8a5f2bad53d8d2"
/* The broker cannot be reached, or not in time. */
#define MESSAGE_ID_BROKER_UNREACHABLE "a9aca4cf959c4001afe64543c5344240"
/* A volume key was handed over. */
#define MESSAGE_ID_KEY_RELEASED "168cfa66d2e5400a90c8e62d8a3764d1"
/* A resource was handed over. */
#define MESSAGE_ID_RESOURCE_RELEASED "65841b737de94cf4a1be670343e6b5ba"
/* A request was refused by the access rules. */
#define MESSAGE_ID_ACCESS_DENIED "6d5fc9591497456dbbe63e96f0cf64b4"
/* An allowed request could not be served. */
#define MESSAGE_ID_RELEASE_FAILED "163571a9d6ed4c22b376720ac6417941"
/* The configuration was loaded, or loaded again. */
#define MESSAGE_ID_CONFIG_LOADED "62c211a490364e7a83f375d6d53b780c"
/* A new configuration was refused; the old one stays. */
#define MESSAGE_ID_CONFIG_REJECTED "b148f7a1a018455e8984bb185f69e448"
/* A caller of snp-attesterd has no right to ask. */
#define MESSAGE_ID_CALLER_REFUSED "e84ac31f6d884047b951a9068240a43a"
/* A key that the firmware derived for this guest was handed over. */
#define MESSAGE_ID_KEY_DERIVED "ce58df1db4bc4bdcb45f53b7740e985d"
/* A test root is trusted and AMD's roots are not. */
#define MESSAGE_ID_TEST_TRUST "f070a56e57af4c35ba8cc05999ed0749"
/* Secrets cannot be locked into memory. */
#define MESSAGE_ID_MEMORY_NOT_LOCKED "16f1b46c0f04416f8744e35b00c7d947"
