# perl client.pl [as-it-is]
use strict;
use warnings;
use Data::MessagePack;

binmode STDIN;
binmode STDOUT;
$| = 1;
my $as_it_is = ($ARGV[0] // "") eq "as-it-is";
my $codec = Data::MessagePack->new;
my $text = Data::MessagePack->new->utf8;

# Data::MessagePack writes all strings as bytes, or, with utf8(), all as text. The wire wants names as text, so the two are put together
# here: bytes are given by reference.
sub encode {
    my ($value) = @_;
    if (ref $value eq "ARRAY") { return pack("Cn", 0xdc, scalar @$value) . join "", map { encode($_) } @$value }
    if (ref $value eq "HASH") { return pack("Cn", 0xde, scalar keys %$value) . join "", map { encode($_) } %$value }
    return ref $value ? $codec->pack($$value) : $text->pack($value);
}

sub call {
    my $payload = $as_it_is ? $codec->pack($_[0]) : encode($_[0]);
    print STDOUT pack("V", length $payload) . $payload;
    read STDIN, my $head, 4;
    read STDIN, my $response, unpack("V", $head);
    return $codec->unpack($response);
}

sub report {
    my ($label, $work) = @_;
    my $result = eval {
        my ($name, $fields) = @{ $work->() };
        $name eq "ErrorResponse" ? $fields->{message} : unpack("H8", $fields->{hash});
    } // $@;
    print STDERR "$label: $result\n";
}

sub tagged {
    my ($id, $command) = @_;
    my ($echo, $response) = @{ call([$id, $command]) };
    return $echo == $id ? $response : ["ErrorResponse", { message => "the id is $echo" }];
}

sub bytes { my ($bytes) = @_; return $as_it_is ? $bytes : \$bytes }

my $data = bytes("abc");
my $word = bytes("\x01" x 32);
report("plain", sub { call([["Blake2s", { data => $data }]]) });
report("list", sub { call([["Poseidon2Hash", { inputs => [$word, $word] }]]) });
report("tagged", sub { tagged(7, ["Blake2s", { data => $data }]) });
report("large id", sub { tagged(2**40, ["Blake2s", { data => $data }]) });
report("integer", sub { tagged(8, ["Blake2s", { data => $data, deadline_ms => 60000 }]) });
my $high = bytes("\xff" x 3);
report("bytes >= 128", sub { call([["Blake2s", { data => $high }]]) });
