#include "waf/message_metadata.h"

#include <gtest/gtest.h>

namespace framewall::waf {
namespace {

TEST(MessageMetadata, TagsOfXmpBecomeTheirValues) {
  EXPECT_EQ(
      WithoutXmpMarkup("<?xpacket begin=\"\" id=\"W5M0\"?><x:xmpmeta xmlns:x=\"adobe:ns:meta/\">"
                       "<tiff:Make>Camera</tiff:Make><rdf:li/></x:xmpmeta>\n<?xpacket end='w'?>"),
      "\nW5M0\n\nadobe:ns:meta/\n\nCamera\n\n\n\n\nw\n");
}

TEST(MessageMetadata, WhatIsNoneOfItsTagsStays) {
  for (const char* text :
       {"<script>alert(1)</script>", "<?php system('id');?>", "<? echo 1 ?>", "a < b > c",
        "<img src=x onerror=alert(1)>", "<x:a onload=\"alert(1)\">", "<x:a href='javascript:1'>",
        "<x:a b:c=\"<script>\">", "<x:a b:c=\"", "<x:a", "<x:a b:c=d>", "<", "<x:>", "<:a>",
        "<?xpacket begin=\"<?php\"?>", "<?xpacket system('id')?>", "<!-- x:a -->"}) {
    EXPECT_EQ(WithoutXmpMarkup(text), text);
  }
}

TEST(MessageMetadata, AnAttackAmongTheTagsIsLeft) {
  EXPECT_EQ(WithoutXmpMarkup("<dc:title><script>alert(1)</script></dc:title>"),
            "\n<script>alert(1)</script>\n");
  EXPECT_EQ(WithoutXmpMarkup("<dc:title a:b=\"1' or '1'='1\"/>"), "\n1' or '1'='1\n");
}

TEST(MessageMetadata, IsKnownByItsOutermostElement) {
  EXPECT_TRUE(HasXmp("id <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">"));
  EXPECT_FALSE(HasXmp("<rdf:RDF>"));
  EXPECT_FALSE(HasXmp(""));
}

}  // namespace
}  // namespace framewall::waf
