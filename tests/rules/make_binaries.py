#!/usr/bin/python3
"""make_binaries.py DIRECTORY: binary messages as applications send them, by real encoders.

MessagePack and Protocol Buffers with chat, telemetry and whole files in them,
images and sound in the usual formats, arrays of numbers, compressed text.
Debian: python3-msgpack python3-pil python3-protobuf opus-tools. The same files
at every run.
"""
import gzip
import io
import math
import os
import pathlib
import random
import struct
import subprocess
import sys
import wave
import zlib

import msgpack
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from PIL import Image, ImageDraw, ImageFilter
from PIL.PngImagePlugin import PngInfo

HERE = pathlib.Path(__file__).parent
XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 5.6.0">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
    xmp:CreatorTool="Camera 1.0" xmp:CreateDate="2024-05-01T12:00:00+03:00">
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Вечер у моря</rdf:li></rdf:Alt></dc:title>
   <tiff:Orientation>1</tiff:Orientation>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>""".encode()


class Maker:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        for old in self.directory.iterdir():
            old.unlink()
        self.random = random.Random(20240501)
        self.count = 0
        self.lines = self.chat_lines()

    # What people write, without what the rules refuse as text too.
    def chat_lines(self):
        lines = []
        for line in (HERE / "messages_ru.yaml").read_text().splitlines():
            line = line.strip()
            if line.startswith('- "') and line.endswith('"'):
                lines.append(line[3:-1].replace('\\"', '"').replace("\\n", "\n"))
        return lines

    def save(self, data, suffix):
        (self.directory / f"{self.count:04}.{suffix}").write_bytes(data)
        self.count += 1

    def line(self):
        return self.random.choice(self.lines)

    def name(self):
        return self.random.choice(["Анна", "Олег", "Мария", "John", "Alice", "Zoë", "李雷", "Bob O'Neil"])

    def octets(self, size):
        return self.random.getrandbits(8 * size).to_bytes(size, "big")

    def floats(self, count):
        return [self.random.gauss(0, 100) for _ in range(count)]

    def chat(self):
        return {
            "type": "chat",
            "id": self.random.randrange(2**48),
            "room": self.random.choice(["общая", "dev-team", "support"]),
            "from": {"name": self.name(), "id": self.random.randrange(10**6), "online": True},
            "text": self.line(),
            "mentions": [self.random.randrange(10**6) for _ in range(self.random.randrange(4))],
            "reply_to": None,
            "at": self.random.random() * 2e9,
            "token": self.octets(16).hex(),
        }

    def telemetry(self):
        return {
            "device": self.octets(8).hex(),
            "seq": self.random.randrange(2**32),
            "samples": self.floats(self.random.randrange(1, 200)),
            "battery": self.random.random(),
            "flags": [self.random.random() < 0.5 for _ in range(8)],
        }

    def message_pack(self):
        pack = msgpack.packb
        for _ in range(60):
            self.save(pack(self.chat()), "msgpack")
        for _ in range(20):
            self.save(pack([self.chat() for _ in range(self.random.randrange(1, 6))]), "msgpack")
        for _ in range(30):
            self.save(pack(self.telemetry()), "msgpack")
        for _ in range(10):
            self.save(pack(self.telemetry(), use_single_float=True), "msgpack")
        for _ in range(10):
            # The old way, where octets are strings.
            file = self.jpeg(self.image(), 80)
            self.save(pack({"file": file, "name": "фото.jpg"}, use_bin_type=False), "msgpack")
        for _ in range(10):
            image = self.image()
            self.save(pack({"name": "IMG_0001.jpg", "data": self.jpeg(image, 80)}), "msgpack")
        for _ in range(10):
            self.save(pack(msgpack.ExtType(5, self.octets(40))) + pack(self.line()), "msgpack")
        for _ in range(10):
            # Socket.IO with the MessagePack parser.
            self.save(pack({"type": 2, "data": ["message", self.chat()], "nsp": "/"}), "msgpack")

    def protocol_buffers(self):
        file = descriptor_pb2.FileDescriptorProto(name="chat.proto", package="chat", syntax="proto3")
        kinds = descriptor_pb2.FieldDescriptorProto
        user = file.message_type.add(name="User")
        user.field.add(name="id", number=1, type=kinds.TYPE_UINT64, label=1)
        user.field.add(name="name", number=2, type=kinds.TYPE_STRING, label=1)
        post = file.message_type.add(name="Post")
        post.field.add(name="id", number=1, type=kinds.TYPE_FIXED64, label=1)
        post.field.add(name="author", number=2, type=kinds.TYPE_MESSAGE, type_name=".chat.User", label=1)
        post.field.add(name="text", number=4, type=kinds.TYPE_STRING, label=1)
        post.field.add(name="samples", number=5, type=kinds.TYPE_FLOAT, label=3)
        post.field.add(name="file", number=6, type=kinds.TYPE_BYTES, label=1)
        post.field.add(name="tags", number=7, type=kinds.TYPE_STRING, label=3)
        post.field.add(name="at", number=8, type=kinds.TYPE_DOUBLE, label=1)
        pool = descriptor_pool.DescriptorPool()
        pool.Add(file)
        make = message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName("chat.Post"))
        for number in range(80):
            message = make()
            message.id = self.random.randrange(2**64)
            message.author.id = self.random.randrange(2**40)
            message.author.name = self.name()
            message.text = self.line()
            message.at = self.random.random() * 2e9
            if number % 2:
                message.samples.extend(self.floats(self.random.randrange(100)))
            if number % 3 == 0:
                message.file = self.octets(self.random.randrange(1, 2000))
            if number % 4 == 0:
                message.tags.extend(["срочно", "todo", "v1.2.3"])
            data = message.SerializeToString()
            # Every fifth as gRPC frames it.
            if number % 5 == 0:
                data = struct.pack(">BI", 0, len(data)) + data
            self.save(data, "pb")

    def image(self):
        size = (self.random.randrange(16, 240), self.random.randrange(16, 240))
        image = Image.effect_noise(size, self.random.randrange(5, 120)).convert("RGB")
        if self.random.random() < 0.7:
            image = image.filter(ImageFilter.GaussianBlur(self.random.randrange(1, 6)))
        draw = ImageDraw.Draw(image)
        for _ in range(self.random.randrange(8)):
            box = sorted(self.random.randrange(size[0]) for _ in range(2))
            tall = sorted(self.random.randrange(size[1]) for _ in range(2))
            colour = tuple(self.octets(3))
            draw.rectangle((box[0], tall[0], box[1], tall[1]), fill=colour)
        draw.text((4, 4), "framewall", fill=tuple(self.octets(3)))
        return image

    @staticmethod
    def jpeg(image, quality):
        exif = Image.Exif()
        exif[0x010F] = "Camera & Sons"
        exif[0x0131] = "Editor 3.1 (Linux)"
        exif[0x9286] = "At the sea"
        data = io.BytesIO()
        image.save(data, "JPEG", quality=quality, exif=exif)
        jpeg = data.getvalue()
        if quality % 2:
            packet = b"http://ns.adobe.com/xap/1.0/\0" + XMP
            jpeg = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet + jpeg[2:]
        return jpeg

    def images(self):
        for number in range(30):
            self.save(self.jpeg(self.image(), 40 + number), "jpg")
        for number in range(30):
            info = PngInfo()
            info.add_text("Software", "GIMP 2.10")
            info.add_text("Comment", "Снимок экрана - 1")
            if number % 2:
                info.add_itxt("XML:com.adobe.xmp", XMP.decode())
            data = io.BytesIO()
            self.image().save(data, "PNG", pnginfo=info)
            self.save(data.getvalue(), "png")
        for suffix, options in (("webp", {"quality": 70}), ("webp", {"lossless": True}), ("gif", {}),
                                ("bmp", {}), ("tiff", {"compression": "tiff_lzw"}), ("ico", {})):
            for _ in range(12):
                data = io.BytesIO()
                self.image().resize((96, 96)).save(data, suffix.upper(), **options)
                self.save(data.getvalue(), suffix)
        for _ in range(12):
            # The pixels of a canvas.
            self.save(self.image().resize((64, 64)).convert("RGBA").tobytes(), "rgba")

    def sound(self, seconds, rate):
        tone = self.random.uniform(80, 2000)
        noise = self.random.uniform(0, 0.5)
        return [
            max(-1.0, min(1.0, 0.6 * math.sin(2 * math.pi * tone * t / rate) + self.random.gauss(0, noise)))
            for t in range(int(seconds * rate))
        ]

    def sounds(self):
        for number in range(40):
            rate = self.random.choice([8000, 16000])
            samples = self.sound(0.5, rate)
            data = io.BytesIO()
            with wave.open(data, "wb") as file:
                file.setnchannels(1)
                file.setframerate(rate)
                file.setsampwidth(1 + number % 2)
                if number % 2:
                    file.writeframes(b"".join(struct.pack("<h", int(s * 32767)) for s in samples))
                else:
                    file.writeframes(bytes(int(128 + s * 127) for s in samples))
            self.save(data.getvalue(), "wav")
            if number % 2 == 0:
                continue
            opus = subprocess.run(
                ["opusenc", "--quiet", "--bitrate", "24", "--comment", "TITLE=Голосовое сообщение", "-", "-"],
                input=data.getvalue(), stdout=subprocess.PIPE, check=True)
            self.save(opus.stdout, "opus")
        for _ in range(10):
            # A microphone's buffer, as Web Audio gives it.
            samples = self.sound(0.128, 16000)
            self.save(struct.pack(f"<{len(samples)}f", *samples), "f32")
            self.save(bytes(int(128 + s * 127) for s in samples), "u8")

    def numbers(self):
        for count in (1, 10, 100, 1000, 5000):
            for _ in range(4):
                self.save(struct.pack(f"<{count}f", *self.floats(count)), "f32")
                self.save(struct.pack(f"<{count}i", *(self.random.randrange(-10**6, 10**6)
                                                      for _ in range(count))), "i32")
                self.save(self.octets(count * 16), "random")

    def compressed(self):
        for number in range(20):
            text = "\n".join(self.line() for _ in range(number + 1)).encode()
            self.save(zlib.compress(text), "zlib")
            self.save(gzip.compress(text, mtime=0), "gz")


def main():
    maker = Maker(sys.argv[1])
    maker.message_pack()
    maker.protocol_buffers()
    maker.images()
    maker.sounds()
    maker.numbers()
    maker.compressed()
    print(maker.count, "files,", sum(os.path.getsize(f) for f in maker.directory.iterdir()), "octets")


main()
