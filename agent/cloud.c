/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/cloud.h"

#include <string.h>

#include "base/file.h"
#include "snp/thim.h"

#define ASSET_TAG_PATH "/sys/class/dmi/id/chassis_asset_tag"
/* The same for every machine of Azure, as cloud-init's and WALinuxAgent's detection have it. */
#define ASSET_TAG_AZURE "7783-7084-3265-9085-8269-3286-77"

bool cloud_is_azure(const char *path) {
        AUTO_FREE char *tag = NULL;

        if (file_read_text(path, 4096, &tag, NULL) < 0)
                return false;
        tag[strcspn(tag, "\n")] = 0;
        return strcmp(tag, ASSET_TAG_AZURE) == 0;
}

const char *cloud_certificates_url(const ConfigCollateral *config) {
        if (config->cloud == CONFIG_CLOUD_NONE)
                return NULL;
        if (config->cloud == CONFIG_CLOUD_AUTO && !cloud_is_azure(ASSET_TAG_PATH))
                return NULL;
        return config->cloud_url ? config->cloud_url : SNP_THIM_URL;
}
