#!/usr/bin/perl
# Makes a small MaxMind database from JSON on standard input:
#
#   perl make_mmdb.pl FILE < description
#   {"networks": [["192.0.2.0/24", {"country": {"iso_code": "DE"}}], ...],
#    "ip_version": 6, "build_epoch": 1700000000}
#
# Exits with 77 where libmaxmind-db-writer-perl is not installed. Without FILE: only looks for it.
use strict;
use warnings;
use JSON::PP;

eval { require MaxMind::DB::Writer::Tree; 1 } or exit 77;
my $file = shift or exit 0;

# What keys hold; all others hold text.
my %types = (
    ( map { $_ => 'map' } qw( continent country city names location traits nested ) ),
    ( map { $_ => [ 'array', 'map' ] } qw( subdivisions ) ),
    ( map { $_ => [ 'array', 'uint16' ] } qw( ports ) ),
    ( map { $_ => 'boolean' } qw( is_in_european_union is_anonymous is_hosting ) ),
    ( map { $_ => 'double' } qw( latitude longitude ) ),
    ( map { $_ => 'uint32' } qw( geoname_id autonomous_system_number ) ),
    accuracy_radius => 'uint16',
    float           => 'float',
    int32           => 'int32',
    uint64          => 'uint64',
    uint128         => 'uint128',
    bytes           => 'bytes',
);

local $/;
my $description = JSON::PP->new->utf8->decode(<STDIN>);
my $tree = MaxMind::DB::Writer::Tree->new(
    ip_version               => $description->{ip_version} // 6,
    record_size              => 24,
    database_type            => 'framewall-test',
    description              => { en => 'of a test' },
    languages                => ['en'],
    remove_reserved_networks => 0,
    map_key_type_callback    => sub { $types{ $_[0] } // 'utf8_string' },
);
$tree->_set_build_epoch( $description->{build_epoch} ) if $description->{build_epoch};
$tree->insert_network( @$_ ) for @{ $description->{networks} };

open my $out, '>:raw', $file or die "$file: $!\n";
$tree->write_tree($out);
close $out or die "$file: $!\n";
