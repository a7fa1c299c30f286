#!/usr/bin/perl
# A worker that lies. It answers `Prepare` as a good one would; the code of a run names a file of frames and says what to do with it:
# "FILE once", "FILE deaf" (and then never read again) or "FILE flood" (again and again, for ever). What it says when it starts is in
# `boxed` beside this file.
use strict;
use bytes;
my ($directory) = $0 =~ m{^(.*)/};
open(my $socket, '+<&=', 0) or exit 92;

sub slurp { open(my $file, '<:raw', $_[0]) or exit 90; local $/; return scalar <$file> }
sub say_all { my $rest = shift; while (length $rest) { my $n = syswrite($socket, $rest); exit 91 unless $n; substr($rest, 0, $n) = '' } }
sub take { my ($count, $got) = (shift, ''); while (length $got < $count) { sysread($socket, $got, $count - length $got, length $got) or exit 0 } return $got }
# A number of postcard: seven bits a byte, the lowest first.
sub varint { my ($bytes, $at) = @_; my $i = $at; $i++ while ord(substr($$bytes, $i, 1)) & 128; return substr($$bytes, $at, $i + 1 - $at) }
sub number { my ($value, $shift) = (0, 0); for my $byte (unpack 'C*', shift) { $value |= ($byte & 127) << $shift; $shift += 7 } return $value }
sub frame { return pack('V', length $_[0]) . $_[0] }

say_all(slurp("$directory/boxed"));
while (1) {
    my $message = take(unpack 'V', take(4));
    my $kind = ord $message;
    if ($kind == 0) {
        # Ready: the nonce as it came, and the health of a small engine with one descriptor.
        say_all(frame("\x01" . varint(\$message, 1) . "\x80\x80\x04\x03\x01\x00"));
    } elsif ($kind == 1) {
        my $run = varint(\$message, 1);
        my $length = varint(\$message, 1 + length $run);
        my $code = substr($message, 1 + length($run) + length($length), number($length));
        my ($file, $how) = split / /, $code;
        my $frames = slurp($file);
        say_all($frames);
        if ($how eq 'flood') { say_all($frames) while 1 }
        if ($how eq 'deaf') { sleep 1000 while 1 }
    }
}
