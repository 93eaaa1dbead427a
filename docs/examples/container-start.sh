#!/bin/sh
# Make the environment if the volume has none yet, then become its server.
set -eu

environment=/srv/data/env
services=/srv/services
passwords=/run/secrets/openzato

if [ ! -e "$environment/config.toml" ]; then
    zato create "$environment"
fi

# Services come with the image, not with the volume.
if [ ! -L "$environment/services" ]; then
    rmdir "$environment/services"
    ln -s "$services" "$environment/services"
fi

# A secret in the form of secrets.toml, if there is one, is what counts.
if [ -e "$passwords" ]; then
    install -m 600 "$passwords" "$environment/secrets.toml"
fi

exec zato start "$environment"
