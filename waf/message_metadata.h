// XMP (ISO 16684-1): XML that programs put into the images they save, a third
// of them without being asked. To rules its markup is cross-site scripting and
// its "<?xpacket" the beginning of a PHP program.
#pragma once

#include <string>
#include <string_view>

namespace framewall::waf {

bool HasXmp(std::string_view text);

// `text` with a line end in place of each tag as XMP has them (its name and the names of its
// attributes have a prefix), followed by the values of the attributes. Everything else stays:
// "<script>" and "<?php" in an image are no metadata.
std::string WithoutXmpMarkup(std::string_view text);

}  // namespace framewall::waf
